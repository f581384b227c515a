#include "tasks/ngram_model.h"

#include "tasks/metadata_reader.h"
#include "text/utf8.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr size_t kMaxWords = 1u << 24, kMaxWordBytes = 255;
constexpr std::string_view kOrder = "fovea.ngram.order", kWords = "fovea.ngram.words";

std::string key_of(size_t order, const char *what) { return concat("fovea.ngram.", order, ".", what); }

/// Front coding: of each word how many bytes it begins with as the one before, how many follow, and these.
std::vector<std::string> read_words(const ModelFile &file, const MetadataReader &read) {
  const std::vector<uint8_t> coded = file.get_u8s(kWords);
  std::vector<std::string> words;
  for (size_t at = 0; at < coded.size();) {
    const auto entry = [&] { return concat("word ", words.size(), " of ", kWords); };
    const size_t n_shared = coded[at], begin = at + 2;
    if (begin > coded.size() || coded[at + 1] > coded.size() - begin)
      read.reject(entry(), "cut short", "all of it");
    const size_t end = begin + coded[at + 1], n = n_shared + (end - begin);
    if (n_shared > (words.empty() ? 0 : words.back().size()))
      read.reject(entry(), concat(n_shared, " bytes of the one before"), "no more than that has");
    std::string word = words.empty() ? "" : words.back().substr(0, n_shared);
    word.append(coded.begin() + ptrdiff_t(begin), coded.begin() + ptrdiff_t(end));
    if (n == 0 || n > kMaxWordBytes || !is_utf8(word))
      read.reject(entry(), concat(n, " bytes"), concat("UTF-8 of 1 to ", kMaxWordBytes));
    if (!words.empty() && word <= words.back())
      read.reject(entry(), "no later than the one before", "sorted words");
    words.push_back(std::move(word));
    at = end;
  }
  if (words.empty() || words.size() > kMaxWords)
    read.reject(kWords, concat(words.size(), " words"), concat("1 to ", kMaxWords));
  return words;
}

} // namespace

NgramModel::Logs NgramModel::read_logs(const ModelFile &file, size_t order, const char *what, size_t n) {
  const MetadataReader read(file);
  const std::string key = key_of(order, what), range_key = key + "_range";
  Logs logs;
  logs.codes = file.get_u8s(key);
  if (logs.codes.size() != n)
    read.reject(concat("the number of ", key), logs.codes.size(), std::to_string(n));
  const std::vector<float> range = file.get_f32s(range_key);
  if (range.size() != 2 || !(std::abs(range[0]) <= 1000) || !(range[1] >= 0 && range[1] <= 10))
    read.reject(range_key, concat(range.size(), " numbers"), "a logarithm and a step of 0 to 10");
  logs.low = range[0];
  logs.step = range[1];
  return logs;
}

std::optional<NgramModel> NgramModel::read(const ModelFile &file) {
  if (!file.find_meta(kOrder)) return {};
  const MetadataReader read(file);
  NgramModel m;
  const uint32_t order = read.size(kOrder, 1, kMaxOrder);
  m.words_ = read_words(file, read);
  for (size_t k = 1; k <= order; ++k) {
    Level &level = m.levels_.emplace_back();
    size_t n = m.words_.size();
    if (k > 1) {
      const std::string key = key_of(k, "words");
      level.words = file.get_i32s(key);
      const Level &before = m.levels_[k - 2];
      n = size_t(before.begins.back());
      if (level.words.size() != n)
        read.reject(concat("the number of ", key), level.words.size(), std::to_string(n));
      for (const int32_t word : level.words)
        if (word < 0 || size_t(word) >= m.words_.size())
          read.reject(concat("an entry of ", key), word, concat("a word below ", m.words_.size()));
      for (size_t i = 0; i + 1 < before.begins.size(); ++i)
        for (int32_t at = before.begins[i] + 1; at < before.begins[i + 1]; ++at)
          if (level.words[size_t(at)] <= level.words[size_t(at) - 1])
            read.reject(concat("entry ", at, " of ", key), level.words[size_t(at)], "ascending words");
    }
    level.logprobs = read_logs(file, k, "logprobs", n);
    if (k == order) break;
    level.backoffs = read_logs(file, k, "backoffs", n);
    const std::string key = key_of(k, "begins");
    level.begins = file.get_i32s(key);
    if (level.begins.size() != n + 1 || level.begins.front() != 0 ||
        !std::is_sorted(level.begins.begin(), level.begins.end()))
      read.reject(key, concat(level.begins.size(), " numbers"), concat(n + 1, " ascending ones from 0"));
  }
  return m;
}

NgramModel::Range NgramModel::narrow(Range range, size_t position, char byte) const {
  const auto before = [&](const std::string &word, char c) {
    return word.size() <= position || uint8_t(word[position]) < uint8_t(c);
  };
  const auto after = [&](char c, const std::string &word) {
    return word.size() > position && uint8_t(c) < uint8_t(word[position]);
  };
  const auto first = std::lower_bound(words_.begin() + range.begin, words_.begin() + range.end, byte, before);
  const auto last = std::upper_bound(first, words_.begin() + range.end, byte, after);
  return {int32_t(first - words_.begin()), int32_t(last - words_.begin())};
}

int32_t NgramModel::find(size_t level, int32_t parent, int32_t word) const {
  const auto &begins = levels_[level - 1].begins;
  const auto &words = levels_[level].words;
  const auto end = words.begin() + begins[size_t(parent) + 1];
  const auto at = std::lower_bound(words.begin() + begins[size_t(parent)], end, word);
  return at != end && *at == word ? int32_t(at - words.begin()) : kNone;
}

float NgramModel::logprob(const Context &context, int32_t word) const {
  float back = 0;
  // The longest context first; what is behind an unknown word is no context.
  size_t n = 0;
  while (n + 1 < levels_.size() && context[context.size() - 1 - n] != kNone) ++n;
  for (;; --n) {
    int32_t entry = kNone; // of the n words before
    for (size_t i = 0; i < n; ++i) {
      const int32_t w = context[context.size() - n + i];
      entry = i == 0 ? w : find(i, entry, w);
      if (entry == kNone) break;
    }
    if (n == 0) return back + levels_[0].logprobs[size_t(word)];
    if (entry == kNone) continue;
    if (const int32_t whole = find(n, entry, word); whole != kNone)
      return back + levels_[n].logprobs[size_t(whole)];
    back += levels_[n - 1].backoffs[size_t(entry)];
  }
}

float NgramModel::best_logprob(Range range) const {
  const Logs &logs = levels_[0].logprobs; // a higher code is likelier
  const auto codes = std::span(logs.codes).subspan(size_t(range.begin), size_t(range.end - range.begin));
  return logs.low + logs.step * float(*std::max_element(codes.begin(), codes.end()));
}

} // namespace fovea
