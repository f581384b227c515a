#include "tasks/ctc_words.h"

#include <algorithm>
#include <utility>

namespace fovea {

CtcReader::CtcReader(const CtcSpec &spec, uint64_t first_frame)
    : spec_(spec), has_delimiter_(spec.has_delimiter()), at_frame_(first_frame) {}

std::vector<CtcWord> CtcReader::push(std::span<const CtcFrame> frames) {
  std::vector<CtcWord> out;
  for (const CtcFrame &frame : frames) {
    if (frame.token == run_token_) {
      run_logprob_ = std::max(run_logprob_, frame.logprob);
    } else {
      end_run(out);
      run_token_ = frame.token;
      run_begin_ = at_frame_;
      run_logprob_ = frame.logprob;
    }
    ++at_frame_;
  }
  return out;
}

std::vector<CtcWord> CtcReader::finish() {
  std::vector<CtcWord> out;
  end_run(out);
  end_word(out);
  word_ = {};
  return out;
}

void CtcReader::end_run(std::vector<CtcWord> &out) {
  const int32_t token = std::exchange(run_token_, CtcSpec::kNone);
  if (token == CtcSpec::kNone || token == spec_.blank) return;
  ++n_tokens_;
  const std::string &text = spec_.tokens[size_t(token)];
  if (spec_.is_delimiter(token)) {
    end_word(out);
    ++word_.n_spaces;
    word_.tokens.push_back(token);
    return;
  }
  if (text.empty()) return;
  if (!has_delimiter_) end_word(out);
  if (word_.n_letters++ == 0) word_.begin_frame = run_begin_;
  word_.end_frame = at_frame_;
  word_.text += text;
  word_.tokens.push_back(token);
  word_.sum_logprob += double(run_logprob_);
}

void CtcReader::end_word(std::vector<CtcWord> &out) {
  if (word_.n_letters > 0) out.push_back(std::exchange(word_, {}));
}

} // namespace fovea
