#include "converter/sources/safetensors.h"

#include "base/checked.h"
#include "converter/json.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000; // the format's own limit
constexpr size_t kMaxTensors = 1 << 17;

struct TypeName {
  const char *name;
  SourceType type;
};
constexpr TypeName kTypes[] = {
    {"F32", SourceType::F32}, {"F16", SourceType::F16},  {"BF16", SourceType::BF16}, {"F64", SourceType::F64},
    {"I64", SourceType::I64}, {"I32", SourceType::I32},  {"I16", SourceType::I16},   {"I8", SourceType::I8},
    {"U8", SourceType::U8},   {"BOOL", SourceType::Bool}};

/// What one tensor's object says, before it is believed.
struct Entry {
  std::string name, dtype;
  std::vector<uint64_t> shape, offsets;
  bool has_shape = false;
};

/// Reads {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {"k": "v"}}
/// as a stream: no tree is built, so that a header of brackets costs no memory, and a duplicate key is seen.
class HeaderReader : public nlohmann::json_sax<Json> {
public:
  std::vector<Entry> entries;
  std::string fault;

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a boolean"); }
  bool number_integer(number_integer_t) override { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t &) override { return refuse("a fraction"); }
  bool binary(binary_t &) override { return refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_) return refuse("a number");
    std::vector<uint64_t> &numbers = key_ == "shape" ? entries.back().shape : entries.back().offsets;
    if (numbers.size() == 64) return refuse("an array of more than 64 numbers");
    numbers.push_back(value);
    return true;
  }
  bool string(string_t &value) override {
    if (depth_ != 2 || in_array_) return refuse("a string");
    if (in_metadata_) return true;
    if (key_ != "dtype") return refuse("a string");
    entries.back().dtype = value;
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_ <= 2 && !in_array_ ? true : refuse("an object"); }
  bool end_object() override {
    --depth_;
    in_metadata_ = false;
    return true;
  }
  bool key(string_t &value) override {
    if (depth_ == 1) {
      in_metadata_ = value == "__metadata__";
      if (in_metadata_) return true;
      if (entries.size() == kMaxTensors) return refuse("too many tensors");
      if (printable(value) != value) return refuse("a long name or one with control characters");
      entries.emplace_back().name = value;
      return true;
    }
    key_ = value;
    if (in_metadata_) return true;
    Entry &e = entries.back();
    const bool again = key_ == "dtype"   ? !e.dtype.empty()
                       : key_ == "shape" ? e.has_shape
                                         : !e.offsets.empty();
    if (again) return refuse("a second value");
    if (key_ == "dtype" || key_ == "shape" || key_ == "data_offsets") return true;
    return refuse("an unknown key");
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || in_array_ || key_ == "dtype") return refuse("an array");
    if (key_ == "shape") entries.back().has_shape = true;
    return in_array_ = true;
  }
  bool end_array() override {
    in_array_ = false;
    return true;
  }
  bool parse_error(std::size_t at, const std::string &, const nlohmann::detail::exception &) override {
    fault = concat("not JSON at byte ", at);
    return false;
  }

private:
  bool refuse(std::string_view what) {
    const std::string_view where = entries.empty() ? std::string_view("the start") : entries.back().name;
    fault = concat("unexpected ", what, " at '", where, "'", key_.empty() ? "" : " ", printable(key_));
    return false;
  }
  int depth_ = 0;
  bool in_array_ = false, in_metadata_ = false;
  std::string key_;
};

SourceTensor checked(const Entry &e, const std::string &path, uint64_t data_start) {
  SourceTensor out;
  out.name = e.name;
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeName &t) { return e.dtype == t.name; });
  if (e.name.empty() || e.dtype.empty() || !e.has_shape || e.offsets.size() != 2)
    fail(ErrorCode::InvalidFile, path, ": tensor '", e.name, "' lacks a name, dtype, shape or data_offsets");
  if (type == std::end(kTypes))
    fail(ErrorCode::Unsupported, path, ": tensor '", e.name, "' has dtype '", printable(e.dtype),
         "'; save the model as float32, float16 or bfloat16");
  out.type = type->type;
  if (e.shape.size() > size_t(kMaxRank))
    fail(ErrorCode::Unsupported, path, ": tensor '", e.name, "' has ", e.shape.size(),
         " dimensions, at most ", kMaxRank, " are supported");
  out.shape = Shape(std::span(e.shape));
  const uint64_t bytes = stored_bytes(out.type, out.shape.elements(), e.name);
  const uint64_t begin = e.offsets[0], end = e.offsets[1];
  if (begin > end || end - begin != bytes)
    fail(ErrorCode::InvalidFile, path, ": tensor '", e.name, "' ", out.type, " ", out.shape, " needs ", bytes,
         " bytes, its data_offsets are [", begin, ", ", end, "]");
  (void)checked_add(data_start, end, e.name);
  out.offset = data_start + begin;
  return out;
}

} // namespace

void add_safetensors(Source &source, InputFile file) {
  const std::string path = file.path();
  FileCursor cursor(file);
  const auto header_bytes = cursor.read<uint64_t>("header length");
  if (header_bytes > std::min(kMaxHeaderBytes, cursor.remaining()))
    fail(ErrorCode::InvalidFile, path, ": a header of ", header_bytes,
         " bytes: not a safetensors file, or truncated");
  HeaderReader header;
  Json::sax_parse(cursor.text(header_bytes, "header"), &header);
  if (!header.fault.empty()) fail(ErrorCode::InvalidFile, path, ": bad safetensors header: ", header.fault);

  std::vector<SourceTensor> tensors;
  for (const Entry &entry : header.entries) tensors.push_back(checked(entry, path, cursor.position()));
  std::sort(tensors.begin(), tensors.end(), [](const auto &a, const auto &b) { return a.offset < b.offset; });
  const SourceTensor *last = nullptr; // the latest that has any bytes
  for (const SourceTensor &tensor : tensors) {
    if (tensor.bytes() == 0) continue;
    if (last && tensor.offset < last->offset + last->bytes())
      fail(ErrorCode::InvalidFile, path, ": tensors '", last->name, "' and '", tensor.name, "' overlap");
    last = &tensor;
  }
  const uint32_t index = source.add_file(std::move(file));
  for (SourceTensor &tensor : tensors) {
    tensor.file = index;
    source.add_tensor(std::move(tensor));
  }
}

} // namespace fovea
