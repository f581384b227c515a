#include "tasks/timestamp_rules.h"

#include <algorithm>

namespace fovea {

TimestampRules::TimestampRules(const SpeechSpec &spec, bool with_times, std::optional<uint32_t> max_initial)
    : end_(spec.end), time_begin_(spec.time_begin), with_times_(with_times && spec.has_times()) {
  time_end_ = with_times_ ? spec.time_end() : 0;
  initial_end_ = time_end_;
  if (with_times_ && max_initial)
    initial_end_ = time_begin_ + int32_t(std::min(*max_initial, spec.n_positions)) + 1;
}

RulesRow TimestampRules::row(std::span<const int32_t> sampled) const {
  const int32_t first = sampled.empty() ? 1 : 0;
  if (!with_times_) return {0, 0, 0, first};
  // A window begins with a time.
  if (sampled.empty()) return {time_begin_, time_begin_, initial_end_, first};

  const auto is_time = [&](int32_t id) { return id >= time_begin_; };
  const auto last_time = std::find_if(sampled.rbegin(), sampled.rend(), is_time);
  int32_t time_from = time_begin_;
  // Times never decrease, and text takes time: the time after it is later than the one before it.
  if (last_time != sampled.rend()) time_from = *last_time + 1;

  if (!is_time(sampled.back())) return {0, time_from, time_end_, first};
  // Two times, one ending and one beginning: text follows.
  if (sampled.size() < 2 || is_time(sampled[sampled.size() - 2])) return {0, 0, 0, first};
  // One time after text: the same or a later one begins the next segment, or the window ends.
  return {end_, sampled.back(), time_end_, first};
}

} // namespace fovea
