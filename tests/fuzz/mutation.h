// Random damage that the formats' own mutators are made of, and the frame of such a mutator: an input is
// taken apart, edited and put together again with lengths that fit, so that the damage gets past the first
// checks. One thread; the same seed gives the same result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

namespace fovea::fuzz {

class Dice {
public:
  explicit Dice(uint32_t seed) : engine_(seed | 1u) {}
  uint64_t bits() {
    const uint64_t high = engine_();
    return high << 31 ^ engine_();
  }
  /// 0 … n - 1; 0 for n = 0.
  size_t below(size_t n) { return n == 0 ? 0 : size_t(bits() % n); }
  bool one_in(size_t n) { return below(n) == 0; }
  /// A number at the edge of something, or near `old`.
  uint64_t number(uint64_t old);
  template <class T> const T &of(const std::vector<T> &items) { return items[below(items.size())]; }

private:
  std::minstd_rand engine_;
};

/// libFuzzer's own mutations of bytes, which know what the code under test compared with.
std::string mutate_bytes(std::string bytes, size_t max_growth = 32);
/// One edit of a text of words and lines: words replaced, lines dropped, doubled and exchanged, numbers.
std::string edit_text(const std::string &text, Dice &dice);
/// Removes, repeats or exchanges entries of a list.
template <class T> void shuffle_list(std::vector<T> &items, Dice &dice) {
  if (items.empty()) return;
  const size_t i = dice.below(items.size()), j = dice.below(items.size());
  switch (dice.below(4)) {
  case 0: items.erase(items.begin() + std::ptrdiff_t(i)); break;
  case 1: items.insert(items.begin() + std::ptrdiff_t(j), T(items[i])); break;
  case 2: std::swap(items[i], items[j]); break;
  case 3: items[i] = T(items[j]); break;
  }
}

/// The body of LLVMFuzzerCustomMutator: one input in four is left to libFuzzer, and so is what `edited` gives
/// nothing for.
size_t custom_mutator(uint8_t *data, size_t size, size_t max_size, unsigned seed,
                      const std::function<std::string(std::string_view input, Dice &dice)> &edited);
/// The body of LLVMFuzzerCustomCrossOver.
size_t custom_cross_over(
    const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max_size,
    unsigned seed,
    const std::function<std::string(std::string_view a, std::string_view b, Dice &dice)> &joined);

} // namespace fovea::fuzz

/// Defines libFuzzer's two functions for a format with edit(input, dice) and join(a, b, dice).
#define FOVEA_FUZZ_MUTATORS(edit, join)                                                                      \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {    \
    return fovea::fuzz::custom_mutator(data, size, max_size, seed, edit);                                    \
  }                                                                                                          \
  extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b,             \
                                              size_t b_size, uint8_t *out, size_t max_size, unsigned seed) { \
    return fovea::fuzz::custom_cross_over(a, a_size, b, b_size, out, max_size, seed, join);                  \
  }
