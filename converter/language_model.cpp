#include "converter/language_model.h"

#include "converter/json.h"
#include "converter/sources/input_file.h"
#include "text/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <set>
#include <unordered_map>

namespace fovea {
namespace {

constexpr size_t kMaxOrder = 6, kMaxWordBytes = 255;
constexpr uint64_t kMaxFileBytes = uint64_t(4) << 30;
const std::string kFolder = "language_model";

struct Ngram {
  std::array<int32_t, kMaxOrder> words{};
  float logprob = 0, backoff = 0;
};

/// Lines of a file, and errors that name them.
class Lines {
public:
  Lines(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  /// The next one that is not empty, without blanks at its end; "" after the last.
  std::string_view next() {
    while (at_ < text_.size()) {
      const size_t end = std::min(text_.find('\n', at_), text_.size());
      std::string_view line(text_.data() + at_, end - at_);
      at_ = end + 1;
      ++number_;
      const size_t last = line.find_last_not_of(" \t\r");
      if (last != line.npos) return line.substr(0, last + 1);
    }
    return {};
  }
  const std::string &path() const { return path_; }
  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, path_, ", line ", number_, ": ", parts...);
  }

private:
  std::string path_, text_;
  size_t at_ = 0, number_ = 0;
};

/// The next word of a line, which is taken off it.
std::string_view take(std::string_view &line) {
  const size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

/// A decimal logarithm, as a natural one.
float take_log(std::string_view &line, const Lines &lines) {
  const std::string_view text = take(line);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(std::abs(value) <= 400))
    lines.bad("'", printable(text), "', expected a logarithm");
  return value * std::numbers::ln10_v<float>;
}

bool is_special(std::string_view word) {
  return word == "<s>" || word == "</s>" || word == "<unk>" || word == "<UNK>";
}

struct Arpa {
  std::vector<std::string> words;         // sorted
  std::vector<std::vector<Ngram>> ngrams; // by length, each sorted
};

bool begins_with(const Ngram &longer, const Ngram &shorter, size_t n) {
  return std::equal(longer.words.begin(), longer.words.begin() + ptrdiff_t(n), shorter.words.begin());
}

class ArpaReader {
public:
  ArpaReader(const std::string &path, std::string text) : lines_(path, std::move(text)) {}
  Arpa read();

private:
  void read_sizes();
  void read_words();
  void read_ngrams(size_t n);
  void check_beginnings(size_t n) const;
  template <class Each> void section(size_t n, const Each &each);

  Lines lines_;
  std::vector<size_t> sizes_;
  std::string_view line_; // the one that ended the last section
  std::unordered_map<std::string_view, int32_t> ids_;
  Arpa out_;
};

Arpa ArpaReader::read() {
  read_sizes();
  read_words();
  for (size_t n = 2; n <= sizes_.size(); ++n) {
    read_ngrams(n);
    check_beginnings(n);
  }
  if (line_ != "\\end\\") lines_.bad("'", printable(line_), "', expected \\end\\");
  return std::move(out_);
}

void ArpaReader::read_sizes() {
  do {
    line_ = lines_.next();
    if (line_.empty()) lines_.bad("the file ends before \\data\\; is it an ARPA file?");
  } while (line_ != "\\data\\");
  while (line_ = lines_.next(), line_.rfind("ngram ", 0) == 0) {
    const std::string_view rest = line_.substr(6);
    const size_t equals = rest.find('=');
    size_t n = 0;
    if (equals == rest.npos || rest.substr(0, equals) != std::to_string(sizes_.size() + 1) ||
        std::from_chars(rest.data() + equals + 1, rest.data() + rest.size(), n).ptr !=
            rest.data() + rest.size())
      lines_.bad("'", printable(line_), "', expected 'ngram ", sizes_.size() + 1, "=COUNT'");
    sizes_.push_back(n);
  }
  if (sizes_.empty()) lines_.bad("no 'ngram 1=COUNT'");
  if (sizes_.size() > kMaxOrder)
    fail(ErrorCode::Unsupported, lines_.path(), ": ", sizes_.size(), "-grams, at most ", kMaxOrder,
         "-grams expected");
}

/// each(line without its logarithm, an n-gram with it).
template <class Each> void ArpaReader::section(size_t n, const Each &each) {
  if (line_ != concat("\\", n, "-grams:")) lines_.bad("'", printable(line_), "', expected \\", n, "-grams:");
  size_t n_lines = 0;
  for (; line_ = lines_.next(), !line_.empty() && line_.front() != '\\'; ++n_lines) {
    std::string_view rest = line_;
    Ngram entry;
    entry.logprob = take_log(rest, lines_);
    each(rest, entry);
  }
  if (line_.empty()) lines_.bad("the file ends before \\end\\");
  if (n_lines != sizes_[n - 1]) lines_.bad(n_lines, " ", n, "-grams above, ", sizes_[n - 1], " announced");
}

void ArpaReader::read_words() {
  std::vector<std::pair<std::string, Ngram>> all;
  section(1, [&](std::string_view rest, Ngram entry) {
    const std::string_view word = take(rest);
    if (word.empty() || word.size() > kMaxWordBytes || !is_utf8(word))
      lines_.bad("'", printable(word), "', expected a word in UTF-8 of at most ", kMaxWordBytes, " bytes");
    if (!rest.empty()) entry.backoff = take_log(rest, lines_);
    if (!is_special(word)) all.emplace_back(word, entry);
  });
  if (all.empty()) lines_.bad("no word above");
  std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  auto &entries = out_.ngrams.emplace_back();
  for (auto &[word, entry] : all) {
    if (!out_.words.empty() && out_.words.back() == word)
      lines_.bad("'", printable(word), "' is there twice above");
    entry.words[0] = int32_t(entries.size());
    entries.push_back(entry);
    out_.words.push_back(std::move(word));
  }
  for (const std::string &word : out_.words) ids_.emplace(word, int32_t(ids_.size()));
}

void ArpaReader::read_ngrams(size_t n) {
  auto &entries = out_.ngrams.emplace_back();
  section(n, [&](std::string_view rest, Ngram entry) {
    bool special = false;
    for (size_t i = 0; i < n; ++i) {
      const std::string_view word = take(rest);
      const auto id = ids_.find(word);
      if (id != ids_.end())
        entry.words[i] = id->second;
      else if (is_special(word))
        special = true;
      else
        lines_.bad("'", printable(word), "' is not among the single words");
    }
    if (!rest.empty()) entry.backoff = take_log(rest, lines_);
    if (!special) entries.push_back(entry);
  });
  std::sort(entries.begin(), entries.end(), [](const Ngram &a, const Ngram &b) { return a.words < b.words; });
  const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                        [](const Ngram &a, const Ngram &b) { return a.words == b.words; });
  if (twice != entries.end())
    lines_.bad("a ", n, "-gram of '", printable(out_.words[size_t(twice->words[0])]),
               "' is there twice above");
}

/// Of each n-gram, without its last word, there must be an entry.
void ArpaReader::check_beginnings(size_t n) const {
  const auto &shorter = out_.ngrams[n - 2];
  auto at = shorter.begin();
  for (const Ngram &longer : out_.ngrams[n - 1]) {
    at = std::find_if_not(at, shorter.end(), [&](const Ngram &s) {
      return std::lexicographical_compare(s.words.begin(), s.words.begin() + ptrdiff_t(n) - 1,
                                          longer.words.begin(), longer.words.begin() + ptrdiff_t(n) - 1);
    });
    if (at == shorter.end() || !begins_with(longer, *at, n - 1))
      lines_.bad("a ", n, "-gram above begins with '", printable(out_.words[size_t(longer.words[0])]),
                 "' and continues no ", n - 1, "-gram");
  }
}

/// In a byte each, between the least and the most. What never happens (-99 in ARPA files) would leave the
/// others no room: past kRarest they are one.
void add_logs(const std::string &key, std::vector<float> logs, ModelPlan &plan) {
  constexpr float kRarest = 30;
  for (float &value : logs) value = std::clamp(value, -kRarest, kRarest);
  const auto [least, most] = std::minmax_element(logs.begin(), logs.end());
  const float low = logs.empty() ? 0 : *least, step = logs.empty() ? 0 : (*most - low) / 255;
  std::vector<uint8_t> codes;
  for (const float value : logs) codes.push_back(step > 0 ? uint8_t(std::lround((value - low) / step)) : 0);
  plan.add(key, std::move(codes));
  plan.add(key + "_range", std::vector<float>{low, step});
}

/// Sorted words, as docs/format.md has them.
std::vector<uint8_t> front_coded(const std::vector<std::string> &words) {
  std::vector<uint8_t> out;
  std::string_view last;
  for (const std::string &word : words) {
    const auto n_shared =
        std::mismatch(last.begin(), last.end(), word.begin(), word.end()).first - last.begin();
    out.push_back(uint8_t(n_shared));
    out.push_back(uint8_t(word.size() - size_t(n_shared)));
    out.insert(out.end(), word.begin() + n_shared, word.end());
    last = word;
  }
  return out;
}

void add_ngrams(const Arpa &arpa, ModelPlan &plan) {
  const size_t order = arpa.ngrams.size();
  plan.add("fovea.ngram.order", uint32_t(order));
  for (size_t n = 1; n <= order; ++n) {
    const auto &entries = arpa.ngrams[n - 1];
    const std::string at_key = concat("fovea.ngram.", n, ".");
    const auto column = [&](auto value) {
      std::vector<decltype(value(entries[0]))> values;
      for (const Ngram &entry : entries) values.push_back(value(entry));
      return values;
    };
    if (n > 1) plan.add(at_key + "words", column([n](const Ngram &entry) { return entry.words[n - 1]; }));
    add_logs(at_key + "logprobs", column([](const Ngram &entry) { return entry.logprob; }), plan);
    if (n == order) break;
    add_logs(at_key + "backoffs", column([](const Ngram &entry) { return entry.backoff; }), plan);
    const auto &longer = arpa.ngrams[n];
    std::vector<int32_t> begins = {0};
    size_t at = 0;
    for (const Ngram &entry : entries) {
      while (at < longer.size() && begins_with(longer[at], entry, n)) ++at;
      begins.push_back(int32_t(at));
    }
    plan.add(at_key + "begins", std::move(begins));
  }
  plan.add("fovea.ngram.words", front_coded(arpa.words));
}

/// The part of the words that is written with these tokens.
double writable(const std::vector<std::string> &words, const std::vector<std::string> &tokens) {
  std::set<char> bytes;
  for (const std::string &token : tokens) bytes.insert(token.begin(), token.end());
  const auto n = std::count_if(words.begin(), words.end(), [&](const std::string &word) {
    return std::all_of(word.begin(), word.end(), [&](char c) { return bytes.count(c) != 0; });
  });
  return double(n) / double(words.size());
}

} // namespace

bool add_language_model(const Source &source, const std::vector<std::string> &tokens, ModelPlan &plan) {
  namespace fs = std::filesystem;
  const std::string folder = source.text_path(kFolder);
  std::error_code ignored;
  std::string arpa_path, other;
  if (!fs::is_directory(folder, ignored)) return false;
  for (const auto &entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".arpa") {
      if (!arpa_path.empty()) fail(ErrorCode::InvalidFile, folder, ": several .arpa files, one expected");
      arpa_path = entry.path();
    } else if (extension == ".bin" || extension == ".gz" || extension == ".binary") {
      other = entry.path();
    }
  }
  constexpr const char *then = "; words are written as they are heard";
  if (arpa_path.empty()) {
    if (!other.empty())
      plan.warn(other, ": a language model in a packed form, which is not read", then,
                " (put an .arpa file beside it)");
    return false;
  }
  const Arpa arpa = ArpaReader(arpa_path, InputFile(arpa_path).text(kMaxFileBytes)).read();
  if (writable(arpa.words, tokens) < 0.5) {
    plan.warn(arpa_path, ": most of its words have letters that the model does not write ('",
              printable(arpa.words[arpa.words.size() / 2]), "')", then);
    return false;
  }
  add_ngrams(arpa, plan);
  if (const auto attributes = source.text(kFolder + "/attrs.json")) {
    const Config c = Config::parse(*attributes, source.text_path(kFolder + "/attrs.json"));
    for (const auto &[theirs, ours] : {std::pair{"alpha", "fovea.transcribe.ctc.word_weight"},
                                       {"beta", "fovea.transcribe.ctc.word_bonus"},
                                       {"unk_score_offset", "fovea.transcribe.ctc.unknown_word"}})
      if (const auto value = c.find_number(theirs)) plan.add(ours, float(*value));
  }
  return true;
}

} // namespace fovea
