#include "converter/json.h"

#include <limits>

namespace fovea {
namespace {

constexpr int kMaxDepth = 64;

void check_depth(std::string_view text, const std::string &path) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth)
        fail(ErrorCode::InvalidFile, path, ": nested deeper than ", kMaxDepth, " at byte ", i);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

bool is_i32(const Json &value) {
  if (value.is_number_unsigned())
    return value.get<uint64_t>() <= uint64_t(std::numeric_limits<int32_t>::max());
  return value.is_number_integer() && value.get<int64_t>() >= std::numeric_limits<int32_t>::min() &&
         value.get<int64_t>() <= std::numeric_limits<int32_t>::max();
}

} // namespace

void KeptJson::take_apart(Json &json) noexcept {
  if (!json.is_structured()) return;
  for (Json &child : json) take_apart(child);
  json.clear();
}

Json parse_json(std::string_view text, const std::string &path) {
  check_depth(text, path);
  try {
    return Json::parse(text);
  } catch (const Json::exception &error) {
    std::string why = error.what(); // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    if (const size_t end = why.find("] "); end != std::string::npos) why.erase(0, end + 2);
    fail(ErrorCode::InvalidFile, path, ": not JSON: ", why);
  }
}

Config::Config(Json object, std::string path) : object_(std::move(object)), path_(std::move(path)) {
  if (!object_->is_object()) fail(ErrorCode::InvalidFile, path_, ": expected a JSON object");
}

void Config::wrong(std::string_view key, std::string_view expected) const {
  std::string found = find(key)->dump(-1, ' ', true, Json::error_handler_t::replace);
  if (found.size() > 40) found = found.substr(0, 40) + "…";
  fail(ErrorCode::InvalidFile, path_, ": '", key, "' is ", found, ", expected ", expected);
}

bool Config::is_null(std::string_view key) const {
  const auto found = object_->find(std::string(key));
  return found != object_->end() && found->is_null();
}

const Json *Config::find(std::string_view key) const {
  const auto found = object_->find(std::string(key));
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::optional<uint32_t> Config::find_u32(std::string_view key) const {
  const Json *value = find(key);
  if (!value) return {};
  if (!value->is_number_unsigned() || value->get<uint64_t>() > std::numeric_limits<uint32_t>::max())
    wrong(key, "an integer from 0 to 4294967295");
  return value->get<uint32_t>();
}

uint32_t Config::in_range(std::string_view key, uint32_t value, uint32_t low, uint32_t high) const {
  if (value < low || value > high)
    fail(ErrorCode::InvalidFile, path_, ": ", key, " is ", value, ", expected ", low, " to ", high);
  return value;
}

std::optional<double> Config::find_number(std::string_view key) const {
  const Json *value = find(key);
  if (!value) return {};
  if (!value->is_number()) wrong(key, "a number");
  return value->get<double>();
}

std::optional<bool> Config::find_bool(std::string_view key) const {
  const Json *value = find(key);
  if (!value) return {};
  if (!value->is_boolean()) wrong(key, "true or false");
  return value->get<bool>();
}

std::optional<std::string> Config::find_string(std::string_view key) const {
  const Json *value = find(key);
  if (!value) return {};
  if (!value->is_string()) wrong(key, "a string");
  return value->get<std::string>();
}

std::optional<std::vector<int32_t>> Config::find_i32s(std::string_view key) const {
  const Json *value = find(key);
  if (!value) return {};
  std::vector<int32_t> out;
  if (!value->is_array()) wrong(key, "an array of integers");
  for (const Json &element : *value) {
    if (!is_i32(element)) wrong(key, "an array of 32-bit integers");
    out.push_back(element.get<int32_t>());
  }
  return out;
}

} // namespace fovea
