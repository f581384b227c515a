// NgramModel: how likely a word is after others (Katz, 1987: an n-gram that is not there backs off to a
// shorter one). Words are sorted, so that those with a common beginning are a range. Read from a file's
// metadata (docs/format.md, fovea.ngram); a value; pure; any thread. read() throws Error InvalidFile naming
// the file and the key.
#pragma once

#include "format/model_file.h"

#include <array>
#include <span>

namespace fovea {

class NgramModel {
public:
  static constexpr uint32_t kMaxOrder = 6;
  static constexpr int32_t kNone = -1; // no word, or one that the model does not know
  /// The words before, latest last, kNone before the first and in place of an unknown one.
  using Context = std::array<int32_t, kMaxOrder - 1>;
  /// Words [begin, end).
  struct Range {
    int32_t begin = 0, end = 0;
    bool empty() const { return begin == end; }
  };

  /// Nothing when the file has none.
  static std::optional<NgramModel> read(const ModelFile &file);

  static Context no_words() {
    Context c;
    c.fill(kNone);
    return c;
  }
  static Context after(Context context, int32_t word) {
    std::copy(context.begin() + 1, context.end(), context.begin());
    context.back() = word;
    return context;
  }

  Range all() const { return {0, int32_t(words_.size())}; }
  /// Those of `range` whose byte at `position` is `byte`; all of `range` have the same bytes before.
  Range narrow(Range range, size_t position, char byte) const;
  /// The word of `range` that has `length` bytes, or kNone.
  int32_t exact(Range range, size_t length) const {
    return !range.empty() && words_[size_t(range.begin)].size() == length ? range.begin : kNone;
  }
  /// Natural logarithms. word: not kNone.
  float logprob(const Context &context, int32_t word) const;
  /// The likeliest of `range` where nothing is known of the words before; range: not empty.
  float best_logprob(Range range) const;

  uint32_t order() const { return uint32_t(levels_.size()); }
  const std::vector<std::string> &words() const { return words_; }

private:
  /// Logarithms in a byte each, of which a search needs no more.
  struct Logs {
    std::vector<uint8_t> codes;
    float low = 0, step = 0;
    float operator[](size_t i) const { return low + step * float(codes[i]); }
  };
  /// n-grams of one length, sorted by what they continue, then by their last word.
  struct Level {
    std::vector<int32_t> words;  // the last word of each; of single words none: entry i is word i
    Logs logprobs;               // after the words before it
    Logs backoffs;               // what another word after it costs; of the longest none
    std::vector<int32_t> begins; // where its continuations begin in the next level, and the end of all
  };
  static Logs read_logs(const ModelFile &file, size_t order, const char *what, size_t n);
  int32_t find(size_t level, int32_t parent, int32_t word) const;

  std::vector<std::string> words_;
  std::vector<Level> levels_;
};

} // namespace fovea
