#include "converter/labels.h"

#include <charconv>

namespace fovea {
namespace {

constexpr size_t kMaxLabels = 1 << 20;

const Json *object_of(const Config &config, std::string_view key) {
  const Json *found = config.find(key);
  if (found && !found->is_object())
    fail(ErrorCode::InvalidFile, config.path(), ": ", key, " is not an object");
  if (found && found->size() > kMaxLabels)
    fail(ErrorCode::InvalidFile, config.path(), ": ", key, " has ", found->size(), " entries");
  return found;
}

} // namespace

uint32_t n_labels(const Config &config) {
  if (const Json *names = object_of(config, "id2label")) return uint32_t(names->size());
  if (const Json *ids = object_of(config, "label2id")) return uint32_t(ids->size());
  return config.find_u32("num_labels").value_or(2);
}

std::vector<std::string> read_labels(const Config &config, uint32_t n) {
  std::vector<std::string> out;
  for (uint32_t i = 0; i < n; ++i) out.push_back(concat("LABEL_", i));
  const auto set = [&](const char *key, uint64_t id, const std::string &name) {
    if (id >= n)
      fail(ErrorCode::InvalidFile, config.path(), ": ", key, " has class ", id, ", expected 0 to ", n - 1);
    out[id] = name;
  };
  if (const Json *names = object_of(config, "id2label")) {
    for (const auto &[key, name] : names->items()) {
      uint64_t id = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size() || !name.is_string())
        fail(ErrorCode::InvalidFile, config.path(), ": id2label is not a list of names by class");
      set("id2label", id, name.get<std::string>());
    }
  } else if (const Json *ids = object_of(config, "label2id")) {
    for (const auto &[name, id] : ids->items()) {
      if (!id.is_number_unsigned())
        fail(ErrorCode::InvalidFile, config.path(), ": label2id is not a list of classes by name");
      set("label2id", id.get<uint64_t>(), name);
    }
  }
  return out;
}

std::string read_scores(const Config &config, uint32_t n) {
  const std::string type = config.find_string("problem_type").value_or("");
  if (type == "regression") return "none";
  if (type == "multi_label_classification") return "sigmoid";
  if (type == "single_label_classification") return "softmax";
  if (!type.empty())
    fail(ErrorCode::Unsupported, config.path(), ": problem_type '", type,
         "' is not supported (regression, single_label_classification and multi_label_classification are)");
  return n == 1 ? "sigmoid" : "softmax";
}

} // namespace fovea
