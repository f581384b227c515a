// What a finished pickle gives: tensors by name, and the older format's small values.
#include "converter/sources/pickle.h"

namespace fovea {
namespace {

constexpr size_t kMaxTensors = 1 << 16, kMaxKeyBytes = 64;

} // namespace

const Pickle::Value *Pickle::entry(const Value &dict, std::string_view key) const {
  if (dict.kind != Kind::Dict) return nullptr;
  const std::vector<Value> &items = containers_[dict.index];
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::Text && texts_[items[i].index] == key) return &items[i + 1];
  return nullptr;
}

bool Pickle::has_tensors(const Value &dict) const {
  if (dict.kind != Kind::Dict) return false;
  const std::vector<Value> &items = containers_[dict.index];
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::Text && items[i + 1].kind == Kind::Tensor) return true;
  return false;
}

std::vector<PickledTensor> Pickle::tensors() const {
  Value dict = result_;
  if (!has_tensors(dict))
    for (const char *key : {"state_dict", "model_state_dict", "model", "module"})
      if (const Value *inner = entry(result_, key); inner && has_tensors(*inner)) {
        dict = *inner;
        break;
      }
  if (!has_tensors(dict))
    fail(ErrorCode::Unsupported, in_.file().path(),
         ": no tensors by name in the pickle; save the model's state_dict, or as safetensors");
  std::vector<PickledTensor> out;
  const std::vector<Value> &items = containers_[dict.index];
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind != Kind::Text || items[i + 1].kind != Kind::Tensor) continue;
    const std::string &name = texts_[items[i].index];
    if (name.empty() || printable(name) != name)
      fail(ErrorCode::InvalidFile, in_.file().path(), ": tensor name '", printable(name),
           "' is empty, long or has control characters");
    if (out.size() == kMaxTensors)
      fail(ErrorCode::InvalidFile, in_.file().path(), ": more than ", kMaxTensors, " tensors");
    out.push_back(tensors_[items[i + 1].index]);
    out.back().name = name;
  }
  return out;
}

std::vector<std::string> Pickle::texts() const {
  std::vector<std::string> out;
  for (const Value &item : containers_[kind(result_, Kind::List, "the list of storages").index]) {
    out.push_back(texts_[kind(item, Kind::Text, "a storage's key").index]);
    if (out.back().size() > kMaxKeyBytes || out.size() > kMaxTensors)
      fail(ErrorCode::InvalidFile, in_.file().path(), ": a long storage's key, or too many");
  }
  return out;
}

std::optional<int64_t> Pickle::integer() const {
  return result_.kind == Kind::Int ? std::optional(result_.number) : std::nullopt;
}

std::string Pickle::long_bytes() const { return result_.kind == Kind::Long ? texts_[result_.index] : ""; }

std::optional<bool> Pickle::flag(std::string_view key) const {
  const Value *value = entry(result_, key);
  return value && value->kind == Kind::Bool ? std::optional(value->number != 0) : std::nullopt;
}

} // namespace fovea
