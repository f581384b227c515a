#include "fuzz/safetensors_document.h"

#include "fuzz/json_edit.h"

#include <cstring>
#include <nlohmann/json.hpp>

namespace fovea::fuzz {
namespace {

using Json = nlohmann::ordered_json;

struct Tensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};

struct Parts {
  std::string header, data;
};
Parts parts_of(const std::string &file) {
  if (file.size() < 8) return {};
  uint64_t n = 0;
  std::memcpy(&n, file.data(), 8);
  return {file.substr(8, n), n < file.size() - 8 ? file.substr(8 + n) : ""};
}
std::string whole(const Parts &parts) {
  const uint64_t n = parts.header.size();
  return std::string(reinterpret_cast<const char *>(&n), 8) + parts.header + parts.data;
}

uint64_t element_bytes(const std::string &dtype) {
  return dtype == "F64" || dtype == "I64"   ? 8
         : dtype == "F32" || dtype == "I32" ? 4
         : dtype.ends_with("16")            ? 2
                                            : 1;
}

std::vector<Tensor> tensors_of(const Parts &parts) {
  std::vector<Tensor> out;
  const Json json = Json::parse(parts.header, nullptr, false);
  if (!json.is_object()) return out;
  for (const auto &[name, entry] : json.items()) {
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) continue;
    Tensor t{name, entry["dtype"].get<std::string>(), {}, {}};
    if (entry.contains("shape") && entry["shape"].is_array())
      for (const Json &d : entry["shape"]) t.shape.push_back(d.is_number_unsigned() ? d.get<uint64_t>() : 1);
    if (entry.contains("data_offsets") && entry["data_offsets"].is_array() &&
        entry["data_offsets"].size() == 2 && entry["data_offsets"][0].is_number_unsigned() &&
        entry["data_offsets"][1].is_number_unsigned()) {
      const auto begin = entry["data_offsets"][0].get<uint64_t>(),
                 end = entry["data_offsets"][1].get<uint64_t>();
      if (begin <= end && end <= parts.data.size()) t.bytes = parts.data.substr(begin, end - begin);
    }
    out.push_back(std::move(t));
  }
  return out;
}

Parts written(const std::vector<Tensor> &tensors, Dice &dice) {
  Parts out;
  out.header = "{";
  for (const Tensor &t : tensors) {
    const uint64_t begin = out.data.size() + (dice.one_in(40) ? dice.number(0) : 0);
    out.data += t.bytes;
    out.header += (out.header.size() > 1 ? "," : "") +
                  Json(t.name).dump(-1, ' ', false, Json::error_handler_t::replace) +
                  ":{\"dtype\":" + Json(t.dtype).dump(-1, ' ', false, Json::error_handler_t::replace) +
                  ",\"shape\":" + Json(t.shape).dump() + ",\"data_offsets\":[" + std::to_string(begin) + "," +
                  std::to_string(out.data.size()) + "]}";
  }
  out.header += "}";
  return out;
}

void edit_tensor(Tensor &t, const std::vector<Tensor> &all, Dice &dice) {
  static const std::vector<std::string> dtypes = {"F32", "F16", "BF16", "F64",  "I64",    "I32",
                                                  "I16", "I8",  "U8",   "BOOL", "F8_E4M3"};
  switch (dice.below(6)) {
  case 0: t.name = dice.one_in(2) ? mutate_bytes(t.name, 8) : dice.of(all).name; break;
  case 1: t.dtype = dice.one_in(6) ? mutate_bytes(t.dtype, 4) : dice.of(dtypes); break;
  case 2: shuffle_list(t.shape, dice); break;
  case 3: t.bytes = mutate_bytes(t.bytes); return;
  default:
    if (t.shape.empty()) t.shape.push_back(1);
    t.shape[dice.below(t.shape.size())] = dice.one_in(2) ? dice.below(20) : dice.number(t.shape[0]);
  }
  uint64_t n = element_bytes(t.dtype);
  for (const uint64_t d : t.shape)
    if (__builtin_mul_overflow(n, d, &n)) return;
  if (n < 1 << 14) t.bytes.resize(n, '\x3c');
}

} // namespace

std::string edit_safetensors(const std::string &file, Dice &dice) {
  Parts parts = parts_of(file);
  if (parts.header.empty() || dice.one_in(8)) return mutate_bytes(file);
  if (dice.one_in(3)) {
    parts.header = edit_json(parts.header, dice);
    return whole(parts);
  }
  std::vector<Tensor> tensors = tensors_of(parts);
  if (tensors.empty()) return mutate_bytes(file);
  if (dice.one_in(5))
    shuffle_list(tensors, dice);
  else
    edit_tensor(tensors[dice.below(tensors.size())], tensors, dice);
  return whole(written(tensors, dice));
}

std::string join_safetensors(const std::string &a, const std::string &b, Dice &dice) {
  std::vector<Tensor> mine = tensors_of(parts_of(a));
  const std::vector<Tensor> theirs = tensors_of(parts_of(b));
  if (theirs.empty()) return {};
  mine.insert(mine.begin() + std::ptrdiff_t(dice.below(mine.size() + 1)), dice.of(theirs));
  return whole(written(mine, dice));
}

} // namespace fovea::fuzz
