// JSON from strangers: parsed with bounded depth, read with types, every fault an Error that names the file
// and the key. Values; thread-safe to read.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace fovea {

using Json = nlohmann::json;

/// Error InvalidFile naming `path` when `text` is not JSON or nests deeper than 64.
Json parse_json(std::string_view text, const std::string &path);

/// JSON that can be let go when there is no memory left: Json's own destructor asks for some.
class KeptJson {
public:
  KeptJson(Json json) : json_(std::move(json)) {}
  KeptJson(const KeptJson &) = default;
  KeptJson(KeptJson &&) = default;
  ~KeptJson() { take_apart(json_); }
  operator const Json &() const { return json_; }
  const Json &operator*() const { return json_; }
  const Json *operator->() const { return &json_; }

private:
  static void take_apart(Json &json) noexcept;
  Json json_;
};

/// An object of a configuration file. A null value counts as absent. find_*: nothing when absent; get_*:
/// Error InvalidFile when absent; both when the type is wrong.
class Config {
public:
  Config(Json object, std::string path);
  static Config parse(std::string_view text, const std::string &path) {
    return {parse_json(text, path), path};
  }

  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Whether it is there as null, which some keys tell from being absent.
  bool is_null(std::string_view key) const;
  /// nullptr when absent.
  const Json *find(std::string_view key) const;
  bool empty() const { return object_->empty(); }
  const std::string &path() const { return path_; }

  std::optional<uint32_t> find_u32(std::string_view key) const;
  std::optional<double> find_number(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::string> find_string(std::string_view key) const;
  /// Integers, e.g. token ids.
  std::optional<std::vector<int32_t>> find_i32s(std::string_view key) const;

  uint32_t get_u32(std::string_view key) const { return get(key, find_u32(key)); }
  double get_number(std::string_view key) const { return get(key, find_number(key)); }
  bool get_bool(std::string_view key) const { return get(key, find_bool(key)); }
  std::string get_string(std::string_view key) const { return get(key, find_string(key)); }
  std::vector<int32_t> get_i32s(std::string_view key) const { return get(key, find_i32s(key)); }

  /// Within bounds, both included: Error InvalidFile otherwise. in_range: a value that was read from `key`.
  uint32_t in_range(std::string_view key, uint32_t value, uint32_t low, uint32_t high) const;
  uint32_t get_u32(std::string_view key, uint32_t low, uint32_t high) const {
    return in_range(key, get_u32(key), low, high);
  }
  uint32_t find_u32(std::string_view key, uint32_t fallback, uint32_t low, uint32_t high) const {
    return in_range(key, find_u32(key).value_or(fallback), low, high);
  }

private:
  template <class T> T get(std::string_view key, std::optional<T> value) const {
    if (!value) fail(ErrorCode::InvalidFile, path_, ": '", key, "' is missing");
    return *std::move(value);
  }
  [[noreturn]] void wrong(std::string_view key, std::string_view expected) const;
  KeptJson object_;
  std::string path_;
};

} // namespace fovea
