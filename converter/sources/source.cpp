#include "converter/sources/source.h"

#include "base/checked.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

struct TypeRow {
  const char *name;
  uint32_t block_elements, block_bytes;
};
constexpr TypeRow kTypes[] = {{"f32", 1, 4},      {"f16", 1, 2},     {"bf16", 1, 2},   {"f64", 1, 8},
                              {"i64", 1, 8},      {"i32", 1, 4},     {"i16", 1, 2},    {"i8", 1, 1},
                              {"u8", 1, 1},       {"bool", 1, 1},    {"q4_0", 32, 18}, {"q4_1", 32, 20},
                              {"q5_0", 32, 22},   {"q5_1", 32, 24},  {"q8_0", 32, 34}, {"q4_k", 256, 144},
                              {"q5_k", 256, 176}, {"q6_k", 256, 210}};
constexpr uint64_t kMaxTextBytes = 64 << 20;
constexpr size_t kMaxPrintable = 200;

/// Elements from the first one to the last one, gaps included.
uint64_t extent(const SourceTensor &tensor) {
  const auto &[dims, strides] = tensor.layout;
  if (dims.empty() || tensor.shape.elements() == 0) return tensor.shape.elements();
  uint64_t last = 0;
  for (size_t i = 0; i < dims.size(); ++i)
    last = checked_add(last, checked_mul(dims[i] - 1, strides[i], tensor.name), tensor.name);
  return checked_add(last, 1, tensor.name);
}

} // namespace

const char *to_string(SourceType type) { return kTypes[size_t(type)].name; }
uint64_t block_elements(SourceType type) { return kTypes[size_t(type)].block_elements; }
uint64_t block_bytes(SourceType type) { return kTypes[size_t(type)].block_bytes; }

uint64_t stored_bytes(SourceType type, uint64_t elements, std::string_view what) {
  if (elements % block_elements(type) != 0)
    fail(ErrorCode::InvalidFile, what, ": ", elements, " elements are no whole number of blocks of ", type);
  return checked_mul(elements / block_elements(type), block_bytes(type), what);
}

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
  const uint64_t bytes = stored_bytes(tensor.type, extent(tensor), tensor.name);
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

void Source::check_vocabulary(uint64_t n) const {
  constexpr uint64_t kCheap = 1 << 16;
  const auto has_rows = [n](const SourceTensor &t) {
    const auto dims = t.shape.dims();
    return t.shape.elements() >= n &&
           std::any_of(dims.begin(), dims.end(), [n](uint64_t d) { return d >= n; });
  };
  if (n > kCheap && std::none_of(tensors_.begin(), tensors_.end(), has_rows))
    fail(ErrorCode::InvalidFile, path_, ": a vocabulary of ", n,
         " is announced, and no tensor has as many rows");
}

bool Source::holds(const std::string &path) const {
  std::error_code absent;
  const auto same = [&](const std::string &file) { return std::filesystem::equivalent(path, file, absent); };
  return same(path_) ||
         std::any_of(files_.begin(), files_.end(), [&](const InputFile &f) { return same(f.path()); });
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
