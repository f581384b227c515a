// Step: one step of a tokenizer's pipeline, as one line of text: a kind and fields, `replace text="  " with="
// "`.
//
// Values are words (true, 3, first) or quoted strings, in which \" and \\ stand for " and \. Values;
// thread-safe to read. Throws Error InvalidFile naming where the line stands and the line. Rejected: JSON (a
// parser and a tree for lists of flat records), a binary encoding (nobody could read it in a viewer).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

class Step {
public:
  /// `where`: what Errors name: the file and the pipeline.
  static Step parse(std::string_view line, const std::string &where);
  explicit Step(std::string kind) : kind_(std::move(kind)) {}

  /// For the converter: fields in the order given.
  Step &set(std::string key, std::string value);
  Step &set(std::string key, const char *value) { return set(std::move(key), std::string(value)); }
  Step &set(std::string key, bool value) {
    return set(std::move(key), std::string(value ? "true" : "false"));
  }
  std::string print() const;

  const std::string &kind() const { return kind_; }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Error when absent, or longer than `max_bytes`.
  const std::string &text(std::string_view key, size_t max_bytes = 64 * 1024) const;
  bool flag(std::string_view key, bool if_absent) const;
  uint32_t number(std::string_view key, uint32_t if_absent) const;
  /// One of `choices`; its index. The first one when absent.
  size_t choice(std::string_view key, std::vector<std::string_view> choices) const;
  /// Error when the step has a field that is not one of `keys`.
  void only(std::vector<std::string_view> keys) const;
  [[noreturn]] void wrong(std::string_view what) const;

private:
  const std::string *find(std::string_view key) const;
  std::string kind_, where_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

} // namespace fovea
