#include "tasks/generation_settings.h"

#include "base/error.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

const std::string kPrefix = "fovea.translate.";
constexpr uint32_t kMaxVocabulary = 1u << 24; // ids pass through f32
constexpr uint32_t kMaxLength = 1u << 20;
constexpr uint32_t kUsualNewTokens = 256; // where neither file nor caller sets a limit
constexpr size_t kMaxListed = 1 << 16;

class Reader {
public:
  Reader(const ModelFile &file, const std::string &prefix, uint32_t n_vocabulary)
      : file_(file), prefix_(prefix), n_vocabulary_(n_vocabulary) {}

  template <class T> void read(const char *key, T &to) const {
    std::optional<T> value;
    if constexpr (std::is_same_v<T, uint32_t>)
      value = file_.find_u32(prefix_ + key);
    else
      value = file_.find_f32(prefix_ + key);
    if (value) to = *value;
  }
  void tokens(const char *key, std::vector<int32_t> &to) const {
    if (auto ids = file_.find_i32s(prefix_ + key)) {
      for (const int32_t id : *ids) check_token(key, id);
      to = std::move(*ids);
    }
  }
  void token(const char *key, std::optional<int32_t> &to) const {
    if (const auto id = file_.find_i32(prefix_ + key)) {
      check_token(key, *id);
      to = *id;
    }
  }
  /// Each ends in -1.
  void sequences(const char *key, std::vector<std::vector<int32_t>> &to) const {
    const auto ids = file_.find_i32s(prefix_ + key);
    if (!ids) return;
    to.clear();
    std::vector<int32_t> one;
    for (const int32_t id : *ids) {
      if (id != -1) {
        check_token(key, id);
        one.push_back(id);
      } else if (!one.empty()) {
        to.push_back(std::move(one));
        one.clear();
      }
    }
  }
  void early_stopping(EarlyStopping &to) const {
    const auto text = file_.find_string(prefix_ + "early_stopping");
    if (!text) return;
    if (*text != "true" && *text != "false" && *text != "never")
      reject("early_stopping", *text, "true, false or never");
    to = *text == "true" ? EarlyStopping::Yes : *text == "never" ? EarlyStopping::Never : EarlyStopping::No;
  }
  void check_token(const char *key, int32_t id) const {
    if (id < 0 || id >= int64_t(n_vocabulary_)) reject(key, id, concat("tokens below ", n_vocabulary_));
  }
  template <class T>
  [[noreturn]] void reject(const char *key, const T &found, std::string_view expected) const {
    fail(ErrorCode::InvalidFile, file_.path(), ": ", prefix_, key, " is ", found, ", expected ", expected);
  }

private:
  const ModelFile &file_;
  std::string prefix_;
  uint32_t n_vocabulary_;
};

void read_settings(const Reader &r, GenerationSettings &s) {
  r.read("max_length", s.max_length);
  r.read("max_new_tokens", s.max_new_tokens);
  r.read("min_length", s.min_length);
  r.read("min_new_tokens", s.min_new_tokens);
  r.read("beams", s.n_beams);
  r.read("length_penalty", s.length_penalty);
  r.read("no_repeat_ngram", s.no_repeat_ngram);
  r.read("repetition_penalty", s.repetition_penalty);
  r.early_stopping(s.early_stopping);
  r.token("forced_bos", s.forced_first);
  r.tokens("forced_eos", s.forced_last);
  r.tokens("suppress", s.suppressed);
  r.tokens("begin_suppress", s.suppressed_first);
  r.sequences("bad_words", s.bad_words);
}

} // namespace

std::vector<std::string> generation_tasks(const ModelFile &file) {
  const auto names = file.find_strings(kPrefix + "tasks").value_or(std::vector<std::string_view>());
  return {names.begin(), names.end()};
}

GenerationSettings GenerationSettings::read(const ModelFile &file, const std::string &task) {
  GenerationSettings s;
  s.n_vocabulary = file.get_u32("fovea.text.vocabulary");
  const Reader r(file, kPrefix, s.n_vocabulary);
  if (s.n_vocabulary < 2 || s.n_vocabulary > kMaxVocabulary)
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.text.vocabulary is ", s.n_vocabulary);
  s.n_positions = file.find_u32(kPrefix + "positions").value_or(0);
  s.start = file.get_i32(kPrefix + "start");
  r.check_token("start", s.start);
  s.pad = file.get_i32("fovea.text.pad");
  r.check_token("pad", s.pad);
  r.tokens("end", s.end);
  if (s.end.size() > kMaxListed) r.reject("end", s.end.size(), "fewer tokens");
  read_settings(r, s);
  if (!task.empty()) {
    const auto names = generation_tasks(file);
    if (std::find(names.begin(), names.end(), task) == names.end()) {
      std::string list;
      for (const std::string &name : names) list += concat(list.empty() ? "" : ", ", name);
      fail(ErrorCode::InvalidArgument, file.path(), ": has no task '", task, "'",
           list.empty() ? "; it names none" : "; there is ", list);
    }
    const std::string prefix = kPrefix + "task." + task + ".";
    read_settings(Reader(file, prefix, s.n_vocabulary), s);
    s.prefix = file.find_string(prefix + "prefix").value_or("");
  }
  return s;
}

void GenerationSettings::check() const {
  const auto range = [](const char *what, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail(ErrorCode::InvalidArgument, what, " is ", value, ", expected ", low, " to ", high);
  };
  range("the number of beams", n_beams, 1, 64);
  range("max_length", max_length, 0, kMaxLength);
  range("max_new_tokens", max_new_tokens, 0, kMaxLength);
  range("length_penalty", double(length_penalty), -100, 100);
  range("repetition_penalty", double(repetition_penalty), 1e-3, 1e3);
  range("no_repeat_ngram", no_repeat_ngram, 0, kMaxLength);
  if (forced_first && (*forced_first < 0 || *forced_first >= int64_t(n_vocabulary)))
    fail(ErrorCode::InvalidArgument, "the first token is ", *forced_first, ", expected 0 to ",
         n_vocabulary - 1);
}

uint32_t GenerationSettings::length_limit() const {
  uint32_t limit = max_new_tokens ? max_new_tokens + 1 : max_length ? max_length : kUsualNewTokens + 1;
  if (n_positions) limit = std::min(limit, n_positions);
  return std::max(limit, 2u);
}

} // namespace fovea
