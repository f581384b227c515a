#include "text/step.h"

#include "base/error.h"
#include "text/utf8.h"

#include <algorithm>
#include <charconv>

namespace fovea {
namespace {
constexpr size_t kMaxFields = 8;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A cursor over one line.
class Line {
public:
  explicit Line(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string word() {
    const size_t begin = at_;
    while (!at_end() && is_word(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  /// What follows an opening quote; nothing when it does not end.
  std::optional<std::string> quoted() {
    std::string out;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_end() || (text_[at_] != '"' && text_[at_] != '\\')) return {};
      out += text_[at_++];
    }
    return {};
  }

private:
  std::string_view text_;
  size_t at_ = 0;
};
} // namespace

Step Step::parse(std::string_view text, const std::string &where) {
  Line line(text);
  Step step(line.word());
  step.where_ =
      concat(where, ": step '", utf8_replace_invalid(text.substr(0, 80)), text.size() > 80 ? "…" : "", "'");
  if (!is_utf8(text)) step.wrong("is not UTF-8"); // what it puts into texts, and where it cuts them
  if (step.kind_.empty()) step.wrong("has no kind");
  while (!line.at_end()) {
    if (!line.take(' ')) step.wrong("is not `kind key=value …`");
    std::string key = line.word();
    if (key.empty() || !line.take('=')) step.wrong("is not `kind key=value …`");
    const auto value = line.take('"') ? line.quoted() : line.word();
    if (!value) step.wrong("has a string that does not end, or a \\ before something other than \" and \\");
    if (step.has(key)) step.wrong(concat("has '", key, "' twice"));
    if (step.fields_.size() == kMaxFields) step.wrong(concat("has more than ", kMaxFields, " fields"));
    step.fields_.emplace_back(std::move(key), *value);
  }
  return step;
}

Step &Step::set(std::string key, std::string value) {
  fields_.emplace_back(std::move(key), std::move(value));
  return *this;
}

std::string Step::print() const {
  std::string out = kind_;
  for (const auto &[key, value] : fields_) {
    out += concat(" ", key, "=");
    if (!value.empty() && std::all_of(value.begin(), value.end(), is_word)) {
      out += value;
      continue;
    }
    out += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out;
}

const std::string *Step::find(std::string_view key) const {
  for (const auto &[name, value] : fields_)
    if (name == key) return &value;
  return nullptr;
}

const std::string &Step::text(std::string_view key, size_t max_bytes) const {
  const std::string *value = find(key);
  if (!value) wrong(concat("needs '", key, "'"));
  if (value->size() > max_bytes)
    wrong(concat("has '", key, "' of ", value->size(), " bytes, at most ", max_bytes, " allowed"));
  return *value;
}

bool Step::flag(std::string_view key, bool if_absent) const {
  const std::string *value = find(key);
  if (!value) return if_absent;
  if (*value != "true" && *value != "false") wrong(concat("has '", key, "' that is neither true nor false"));
  return *value == "true";
}

uint32_t Step::number(std::string_view key, uint32_t if_absent) const {
  const std::string *value = find(key);
  if (!value) return if_absent;
  uint32_t out = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  if (error != std::errc() || end != value->data() + value->size())
    wrong(concat("has '", key, "' that is no number from 0 to 4294967295"));
  return out;
}

size_t Step::choice(std::string_view key, std::vector<std::string_view> choices) const {
  const std::string *value = find(key);
  if (!value) return 0;
  for (size_t i = 0; i < choices.size(); ++i)
    if (*value == choices[i]) return i;
  std::string known;
  for (const std::string_view name : choices) known += concat(known.empty() ? "" : ", ", name);
  wrong(concat("has an unknown '", key, "' (known: ", known, ")"));
}

void Step::only(std::vector<std::string_view> keys) const {
  for (const auto &[name, value] : fields_)
    if (std::find(keys.begin(), keys.end(), name) == keys.end())
      wrong(concat("has an unknown field '", name, "'"));
}

void Step::wrong(std::string_view what) const {
  fail(ErrorCode::InvalidFile, where_.empty() ? concat("step '", kind_, "'") : where_, " ", what);
}

} // namespace fovea
