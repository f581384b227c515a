// CtcSegmenter: words to segments, what a subtitle shows at a time. A model of this kind writes no sentences,
// so a segment ends at a pause of half a second, and before a word with which it would take more than seven
// seconds or 84 characters (two lines of 42, the usual limits of subtitles). One thread. Nothing throws but
// std::bad_alloc.
#pragma once

#include "tasks/ctc_words.h"
#include "tasks/transcribe.h"

namespace fovea {

class CtcSegmenter {
public:
  /// with_times false: only flush() ends a segment. `spec` must outlive the segmenter.
  CtcSegmenter(const CtcSpec &spec, bool with_times) : spec_(spec), with_times_(with_times) {}
  /// The segment that ends before `word`, if one does.
  std::optional<TranscriptSegment> add(CtcWord word);
  /// What there is so far.
  std::optional<TranscriptSegment> flush();
  /// The same with `more` words after it, as one segment; nothing ends.
  std::optional<TranscriptSegment> preview(std::span<const CtcWord> more) const;

private:
  TranscriptSegment segment_of(std::span<const CtcWord> words) const;

  const CtcSpec &spec_;
  bool with_times_;
  std::vector<CtcWord> words_;
  size_t n_characters_ = 0;
};

} // namespace fovea
