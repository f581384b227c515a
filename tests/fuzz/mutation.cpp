#include "fuzz/mutation.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace fovea::fuzz {

uint64_t Dice::number(uint64_t old) {
  static constexpr uint64_t kEdges[] = {
      0,          1,          2,          3,          4,          5,          31,         32,
      33,         63,         64,         127,        128,        255,        256,        65535,
      65536,      65537,      0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1ull << 32, 1ull << 33, 1ull << 48,
      1ull << 61, 1ull << 62, ~0ull >> 1, 1ull << 63, ~0ull,      1000003};
  switch (below(6)) {
  case 0: return old + 1;
  case 1: return old - 1;
  case 2: return old * 2;
  case 3: return old / 2;
  case 4: return old ^ 1ull << below(64);
  default: return kEdges[below(std::size(kEdges))];
  }
}

std::string mutate_bytes(std::string bytes, size_t max_growth) {
  const size_t size = bytes.size(), max_size = std::max<size_t>(1, size + max_growth);
  bytes.resize(max_size);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size, max_size));
  return bytes;
}

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || (c && std::strchr("_.:-+", c)); }

struct Word {
  size_t at, size;
};
std::vector<Word> words_of(const std::string &text) {
  std::vector<Word> words;
  for (size_t i = 0; i < text.size();) {
    size_t n = 0;
    while (i + n < text.size() && is_word(text[i + n])) ++n;
    if (n > 0) words.push_back({i, n});
    i += std::max<size_t>(n, 1);
  }
  return words;
}

struct Line {
  size_t begin, end; // without the newline
};
Line line_at(const std::string &text, size_t at) {
  const size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  return {before == std::string::npos ? 0 : before + 1, std::min(text.find('\n', at), text.size())};
}

} // namespace

std::string edit_text(const std::string &text, Dice &dice) {
  std::string out = text;
  const std::vector<Word> words = words_of(out);
  if (words.empty()) return mutate_bytes(out);
  const Word word = dice.of(words), other = dice.of(words);
  const Line line = line_at(out, word.at);
  switch (dice.below(12)) {
  case 0:
  case 1:
  case 2: return out.replace(word.at, word.size, out.substr(other.at, other.size));
  case 3: return out.erase(line.begin, line.end - line.begin + 1);
  case 4: return out.insert(line.begin, out.substr(line.begin, line.end - line.begin) + "\n");
  case 5: return out.insert(word.at, 1, "[](),=->#\"{}\n \t\xff"[dice.below(16)]);
  case 6: return out.erase(word.at, word.size + dice.below(3));
  case 7: { // two lines change places
    const Line second = line_at(out, other.at);
    if (line.end >= second.begin) return out;
    const std::string a = out.substr(line.begin, line.end - line.begin);
    const std::string b = out.substr(second.begin, second.end - second.begin);
    out.replace(second.begin, b.size(), a);
    return out.replace(line.begin, a.size(), b);
  }
  case 8: return out.replace(word.at, word.size, mutate_bytes(out.substr(word.at, word.size), 8));
  default: {
    std::vector<Word> numbers;
    for (const Word &w : words)
      if (std::isdigit(static_cast<unsigned char>(out[w.at]))) numbers.push_back(w);
    if (numbers.empty()) return out;
    const Word number = dice.of(numbers);
    const uint64_t old = std::strtoull(out.c_str() + number.at, nullptr, 10);
    return out.replace(number.at, number.size, std::to_string(dice.number(old)));
  }
  }
}

namespace {

size_t put(const std::string &from, uint8_t *to, size_t max_size) {
  if (from.empty() || from.size() > max_size) return 0;
  std::memcpy(to, from.data(), from.size());
  return from.size();
}

std::string_view view(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

} // namespace

size_t custom_mutator(uint8_t *data, size_t size, size_t max_size, unsigned seed,
                      const std::function<std::string(std::string_view, Dice &)> &edited) {
  Dice dice(seed);
  if (size == 0 || dice.one_in(4)) return LLVMFuzzerMutate(data, size, max_size);
  const size_t n = put(edited(view(data, size), dice), data, max_size);
  return n ? n : LLVMFuzzerMutate(data, size, max_size);
}

size_t
custom_cross_over(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                  size_t max_size, unsigned seed,
                  const std::function<std::string(std::string_view, std::string_view, Dice &)> &joined) {
  Dice dice(seed);
  return put(joined(view(a, a_size), view(b, b_size), dice), out, max_size);
}

} // namespace fovea::fuzz
