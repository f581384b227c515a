#include "tasks/segments.h"

#include <algorithm>

namespace fovea {
namespace {

class Cutter {
public:
  Cutter(const SpeechSpec &spec, std::span<const int32_t> tokens) : spec_(spec), tokens_(tokens) {}

  bool is_time(size_t i) const { return spec_.has_times() && tokens_[i] >= spec_.time_begin; }
  /// The frame that the time token i stands for.
  uint32_t frame(size_t i) const {
    const auto position = uint32_t(std::min(tokens_[i] - spec_.time_begin, int32_t(spec_.n_positions)));
    return position * spec_.frames_per_position();
  }
  bool ends_with_single_time() const {
    const size_t n = tokens_.size();
    return n >= 2 && is_time(n - 1) && !is_time(n - 2);
  }
  /// Ends of the segments that a pair of times closes.
  std::vector<size_t> ends() const {
    std::vector<size_t> out;
    for (size_t i = 1; i < tokens_.size(); ++i)
      if (is_time(i - 1) && is_time(i)) out.push_back(i);
    return out;
  }

private:
  const SpeechSpec &spec_;
  std::span<const int32_t> tokens_;
};

} // namespace

WindowCut cut_window(const SpeechSpec &spec, std::span<const int32_t> tokens, uint32_t n_frames) {
  const Cutter cutter(spec, tokens);
  std::vector<size_t> ends = cutter.ends();
  WindowCut cut;
  if (ends.empty()) {
    uint32_t end_frame = n_frames;
    for (size_t i = 0; i < tokens.size(); ++i)
      if (cutter.is_time(i) && cutter.frame(i) > 0) end_frame = cutter.frame(i);
    cut.segments.push_back({0, end_frame, tokens});
    cut.advance_frames = n_frames;
    return cut;
  }
  const bool complete = cutter.ends_with_single_time();
  if (complete) ends.push_back(tokens.size());
  size_t begin = 0;
  for (const size_t end : ends) {
    const uint32_t start_frame = cutter.is_time(begin) ? cutter.frame(begin) : 0;
    cut.segments.push_back(
        {start_frame, std::max(start_frame, cutter.frame(end - 1)), tokens.subspan(begin, end - begin)});
    begin = end;
  }
  cut.advance_frames = complete ? n_frames : cutter.frame(begin - 1);
  if (cut.advance_frames == 0) cut.advance_frames = n_frames; // nothing was said in no time: do not try again
  return cut;
}

} // namespace fovea
