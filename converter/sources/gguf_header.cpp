#include "converter/sources/gguf_header.h"

#include "base/checked.h"

#include <algorithm>
#include <bit>

namespace fovea {
namespace {

constexpr uint64_t kMaxAlignment = 1 << 20, kMaxSourceTensors = 1 << 16;

struct TypeNumber {
  uint32_t number; // ggml's
  SourceType type;
};
constexpr TypeNumber kTensorTypes[] = {
    {0, SourceType::F32},   {1, SourceType::F16},   {2, SourceType::Q4_0}, {3, SourceType::Q4_1},
    {6, SourceType::Q5_0},  {7, SourceType::Q5_1},  {8, SourceType::Q8_0}, {12, SourceType::Q4_K},
    {13, SourceType::Q5_K}, {14, SourceType::Q6_K}, {24, SourceType::I8},  {25, SourceType::I16},
    {26, SourceType::I32},  {27, SourceType::I64},  {28, SourceType::F64}, {30, SourceType::BF16}};

std::vector<std::byte> bytes(FileCursor &in, uint64_t n_bytes, std::string_view what) {
  const std::string text = in.text(n_bytes, what); // checks before it allocates
  const auto *begin = reinterpret_cast<const std::byte *>(text.data());
  return {begin, begin + text.size()};
}

} // namespace

GgufHeader::GgufHeader(const InputFile &file) : path_(file.path()) {
  FileCursor in(file);
  if (in.read<uint32_t>("magic") != kGgufMagic) bad("not a GGUF file");
  const auto version = in.read<uint32_t>("version");
  if (version != 2 && version != 3)
    fail(ErrorCode::Unsupported, path_, ": GGUF version ", version, ", expected 2 or 3",
         version << 8 == 0 ? " (a big-endian file)" : "");
  const auto n_tensors = in.read<uint64_t>("tensor count"), n_metadata = in.read<uint64_t>("metadata count");
  // A metadata entry takes at least 8 + 1 + 4 + 1 bytes, a tensor at least 8 + 1 + 4 + 8 + 4 + 8.
  if (n_metadata > kMaxMetadata || n_metadata > in.remaining() / 14) bad(n_metadata, " metadata entries");
  if (n_tensors > kMaxSourceTensors || n_tensors > in.remaining() / 33) bad(n_tensors, " tensors");
  for (uint64_t i = 0; i < n_metadata; ++i) {
    std::string key = name(in, "metadata key", 1024);
    Stored value = stored(in, key);
    const auto [at, added] = values_.emplace(std::move(key), std::move(value));
    if (!added) bad("metadata '", at->first, "' is there twice");
  }
  for (uint64_t i = 0; i < n_tensors; ++i) tensors_.push_back(tensor(in));
  const uint64_t alignment = find<uint32_t>("general.alignment").value_or(32);
  if (alignment > kMaxAlignment || !std::has_single_bit(alignment)) bad("general.alignment is ", alignment);
  const uint64_t start = align_up(in.position(), alignment);
  for (SourceTensor &t : tensors_) t.offset = checked_add(start, t.offset, t.name);
}

std::string GgufHeader::name(FileCursor &in, std::string_view what, uint64_t max_bytes) const {
  const uint64_t at = in.position();
  const auto n_bytes = in.read<uint64_t>(what);
  if (n_bytes > max_bytes)
    bad(what, " at byte ", at, " has ", n_bytes, " bytes, at most ", max_bytes, " expected");
  std::string out = in.text(n_bytes, what);
  if (out.empty() || printable(out) != out)
    bad(what, " at byte ", at, " is empty, long or has control characters");
  return out;
}

GgufHeader::Stored GgufHeader::stored(FileCursor &in, std::string_view key) const {
  const auto type = [&] {
    const auto number = in.read<uint32_t>(key);
    if (number >= kGgufTypeCount) bad("metadata '", key, "' has unknown type ", number);
    return GgufType(number);
  };
  Stored out;
  out.type = type();
  if (out.type == GgufType::String) {
    const auto n_bytes = in.read<uint64_t>(key);
    out.payload = bytes(in, n_bytes, key);
    return out;
  }
  if (out.type != GgufType::Array) {
    out.payload = bytes(in, fovea::size_bytes(out.type), key);
    return out;
  }
  out.element_type = type();
  out.count = in.read<uint64_t>(key);
  if (out.element_type == GgufType::Array)
    fail(ErrorCode::Unsupported, path_, ": metadata '", key, "' is an array of arrays");
  if (out.element_type != GgufType::String) {
    out.payload = bytes(in, checked_mul(out.count, fovea::size_bytes(out.element_type), key), key);
    return out;
  }
  if (out.count > kMaxStringsInArray || out.count > in.remaining() / 8)
    bad("metadata '", key, "' has ", out.count, " strings");
  const uint64_t start = in.position(); // walks the strings; they are then taken whole
  for (uint64_t i = 0; i < out.count; ++i) in.skip(in.read<uint64_t>(key), key);
  const uint64_t n_bytes = in.position() - start;
  in.rewind(start);
  out.payload = bytes(in, n_bytes, key);
  return out;
}

SourceTensor GgufHeader::tensor(FileCursor &in) const {
  SourceTensor out;
  out.name = name(in, "tensor name", kMaxNameBytes);
  const auto rank = in.read<uint32_t>(out.name);
  if (rank < 1 || rank > uint32_t(kMaxRank)) bad("tensor '", out.name, "' has ", rank, " dimensions");
  std::array<uint64_t, kMaxRank> dims{};
  for (uint32_t i = 0; i < rank; ++i) dims[rank - 1 - i] = in.read<uint64_t>(out.name); // innermost first
  out.shape = Shape(std::span<const uint64_t>(dims.data(), rank));
  const auto number = in.read<uint32_t>(out.name);
  const auto row = std::find_if(std::begin(kTensorTypes), std::end(kTensorTypes),
                                [&](const TypeNumber &t) { return t.number == number; });
  if (row == std::end(kTensorTypes))
    fail(ErrorCode::Unsupported, path_, ": tensor '", out.name, "' has ggml type ", number,
         "; read are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K: give one of those, "
         "or the "
         "Hugging Face folder");
  out.type = row->type;
  (void)stored_bytes(out.type, out.shape.row(), out.name); // rows are whole blocks
  (void)stored_bytes(out.type, out.shape.elements(), out.name);
  out.offset = in.read<uint64_t>(out.name);
  return out;
}

std::vector<std::string_view> GgufHeader::keys(std::string_view prefix) const {
  std::vector<std::string_view> out;
  for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix); ++at)
    out.push_back(at->first);
  return out;
}

MetaValue GgufHeader::value(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) fail(ErrorCode::NotFound, path_, ": metadata '", key, "' is missing");
  const Stored &s = found->second;
  return {s.type, s.element_type, s.count, s.payload};
}

} // namespace fovea
