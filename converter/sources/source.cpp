#include "converter/sources/source.h"

#include "base/checked.h"
#include "base/half.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace fovea {
namespace {

struct TypeRow {
  const char *name;
  uint64_t size_bytes;
};
constexpr TypeRow kTypes[] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"f64", 8}, {"i64", 8},
                              {"i32", 4}, {"i16", 2}, {"i8", 1},   {"u8", 1},  {"bool", 1}};
constexpr uint64_t kMaxTextBytes = 64 << 20;
constexpr size_t kMaxPrintable = 200;
constexpr size_t kChunkElements = 1 << 16;

template <class T, class ToFloat>
void convert(std::span<const std::byte> in, std::span<float> out, ToFloat to_float) {
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, in.data() + i * sizeof value, sizeof value);
    out[i] = to_float(value);
  }
}

void to_floats(SourceType type, std::span<const std::byte> in, std::span<float> out) {
  constexpr auto cast = [](auto value) { return float(value); };
  switch (type) {
  case SourceType::F32: std::memcpy(out.data(), in.data(), out.size_bytes()); break;
  case SourceType::F16: convert<uint16_t>(in, out, half_to_float); break;
  case SourceType::BF16: convert<uint16_t>(in, out, bfloat16_to_float); break;
  case SourceType::F64: convert<double>(in, out, cast); break;
  case SourceType::I64: convert<int64_t>(in, out, cast); break;
  case SourceType::I32: convert<int32_t>(in, out, cast); break;
  case SourceType::I16: convert<int16_t>(in, out, cast); break;
  case SourceType::I8: convert<int8_t>(in, out, cast); break;
  case SourceType::U8: convert<uint8_t>(in, out, cast); break;
  case SourceType::Bool: convert<uint8_t>(in, out, [](uint8_t b) { return b ? 1.f : 0.f; }); break;
  }
}

} // namespace

const char *to_string(SourceType type) { return kTypes[size_t(type)].name; }
uint64_t size_bytes(SourceType type) { return kTypes[size_t(type)].size_bytes; }

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxPrintable));
  for (char &c : out)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return text.size() > out.size() ? out + "…" : out;
}

uint32_t Source::add_file(InputFile file) {
  files_.push_back(std::move(file));
  return uint32_t(files_.size() - 1);
}

void Source::add_tensor(SourceTensor tensor) {
  const InputFile &file = files_.at(tensor.file);
  const uint64_t bytes = checked_mul(tensor.shape.elements(), size_bytes(tensor.type), tensor.name);
  if (tensor.offset > file.size_bytes() || bytes > file.size_bytes() - tensor.offset)
    fail(ErrorCode::InvalidFile, file.path(), ": truncated: tensor '", tensor.name, "' needs ", bytes,
         " bytes from ", tensor.offset, ", the file has ", file.size_bytes());
  tensors_.push_back(std::move(tensor));
}

void Source::finish() {
  std::sort(tensors_.begin(), tensors_.end(), [](const auto &a, const auto &b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(tensors_.begin(), tensors_.end(),
                                        [](const auto &a, const auto &b) { return a.name == b.name; });
  if (twice != tensors_.end())
    fail(ErrorCode::InvalidFile, path_, ": tensor '", twice->name, "' is there twice");
}

const SourceTensor *Source::find(std::string_view name) const {
  const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                   [](const SourceTensor &t, std::string_view n) { return t.name < n; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

uint64_t Source::total_bytes() const {
  uint64_t sum = 0;
  for (const SourceTensor &t : tensors_) sum += t.bytes();
  return sum;
}

bool Source::holds(const std::string &path) const {
  std::error_code absent;
  const auto same = [&](const std::string &file) { return std::filesystem::equivalent(path, file, absent); };
  return same(path_) ||
         std::any_of(files_.begin(), files_.end(), [&](const InputFile &f) { return same(f.path()); });
}

void Source::read(const SourceTensor &tensor, uint64_t first, std::span<float> out) const {
  const uint64_t n = tensor.shape.elements(), element_bytes = size_bytes(tensor.type);
  if (first > n || out.size() > n - first)
    fail(ErrorCode::Internal, path_, ": tensor '", tensor.name, "' has ", n, " elements, asked for ",
         out.size(), " from ", first);
  std::vector<std::byte> buffer(std::min(out.size(), kChunkElements) * element_bytes);
  for (size_t at = 0; at < out.size(); at += kChunkElements) {
    const size_t count = std::min(kChunkElements, out.size() - at);
    const auto piece = std::span(buffer).first(count * element_bytes);
    files_[tensor.file].read_at(tensor.offset + (first + at) * element_bytes, piece);
    to_floats(tensor.type, piece, out.subspan(at, count));
  }
}

std::vector<float> Source::read(std::string_view name) const {
  const SourceTensor *tensor = find(name);
  if (!tensor) fail(ErrorCode::NotFound, path_, ": no tensor '", name, "'");
  std::vector<float> out(tensor->shape.elements());
  read(*tensor, 0, out);
  return out;
}

std::optional<std::string> Source::text(std::string_view name) const {
  if (const auto found = texts_.find(name); found != texts_.end()) return found->second;
  if (!folder_ || !std::filesystem::exists(text_path(name))) return {};
  return InputFile(text_path(name)).text(kMaxTextBytes);
}

} // namespace fovea
