// CtcReader: the most probable token of every frame, in order, to words with their times: repeats are one
// token, the blank separates repeats and writes nothing, a delimiter ends a word. Times and texts are those
// of the reference implementation's CTC tokenizer (decode, output_word_offsets): a word reaches from the
// first frame of its first token to the last frame of its last. Where a vocabulary has no delimiter, every
// token is a word (the reference's char_offsets). Tokens without text are left out after repeats are joined.
//
// Frames may come piece by piece, with the same result. One thread. Nothing throws but std::bad_alloc.
#pragma once

#include "tasks/ctc_spec.h"

#include <span>

namespace fovea {

struct CtcFrame {
  int32_t token = 0; // an id of the spec's
  float logprob = 0;
};

struct CtcWord {
  uint64_t begin_frame = 0, end_frame = 0; // end: the one after
  uint32_t n_spaces = 0;                   // delimiters between the word before and this one
  std::string text;
  std::vector<int32_t> tokens; // of the text, and the delimiters before it
  double sum_logprob = 0;      // each token's is that of its most probable frame; delimiters not included
  uint32_t n_letters = 0;      // tokens that are not delimiters
};

class CtcReader {
public:
  /// `spec` must outlive the reader. `first_frame`: of the first to be pushed, in the times of words.
  explicit CtcReader(const CtcSpec &spec, uint64_t first_frame = 0);
  /// Words that are complete with these frames.
  std::vector<CtcWord> push(std::span<const CtcFrame> frames);
  /// The last word, if one is open.
  std::vector<CtcWord> finish();
  uint64_t next_frame() const { return at_frame_; }
  /// Tokens so far, blanks left out.
  uint64_t n_tokens() const { return n_tokens_; }

private:
  void end_run(std::vector<CtcWord> &out);
  void end_word(std::vector<CtcWord> &out);

  const CtcSpec &spec_;
  bool has_delimiter_;
  uint64_t at_frame_, n_tokens_ = 0;
  // Frames of the same token.
  int32_t run_token_ = CtcSpec::kNone;
  uint64_t run_begin_ = 0;
  float run_logprob_ = 0;
  CtcWord word_; // without letters: only the delimiters before the next
};

} // namespace fovea
