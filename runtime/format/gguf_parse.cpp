#include "base/checked.h"
#include "format/byte_reader.h"
#include "format/gguf.h"

#include <algorithm>
#include <numeric>

namespace fovea {
namespace {

class Parser {
public:
  Parser(std::span<const std::byte> bytes, std::string_view path)
      : in_(bytes, path), size_bytes_(bytes.size()), path_(path) {}

  GgufContents parse() {
    const auto [n_metadata, n_tensors] = header();
    GgufContents out;
    out.metadata.reserve(n_metadata);
    for (uint64_t i = 0; i < n_metadata; ++i) out.metadata.push_back(entry());
    refuse_duplicates("metadata key", n_metadata, [&](size_t i) { return out.metadata[i].key; });
    check_alignment(out);
    out.tensors.reserve(n_tensors);
    for (uint64_t i = 0; i < n_tensors; ++i) out.tensors.push_back(tensor());
    refuse_duplicates("tensor", n_tensors, [&](size_t i) { return out.tensors[i].name; });
    place(out.tensors);
    return out;
  }

private:
  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, path_, ": ", parts...);
  }

  struct Counts {
    uint64_t metadata, tensors;
  };

  Counts header() {
    if (in_.remaining() < 4 || in_.read<uint32_t>("magic") != kGgufMagic)
      bad("not a model file: it does not start with 'GGUF' (fovea convert makes one)");
    const auto version = in_.read<uint32_t>("version");
    if (version != kGgufVersion)
      fail(ErrorCode::Unsupported, path_, ": GGUF version ", version, ", expected ", kGgufVersion,
           version << 8 == 0 ? " (a big-endian file)" : "");
    const auto n_tensors = in_.read<uint64_t>("tensor count");
    const auto n_metadata = in_.read<uint64_t>("metadata count");
    // A metadata entry takes at least 8 + 1 + 4 + 1 bytes, a tensor at least 8 + 1 + 4 + 8 + 4 + 8.
    check_count(n_metadata, kMaxMetadata, 14, "metadata entries");
    check_count(n_tensors, kMaxTensors, 33, "tensors");
    return {n_metadata, n_tensors};
  }

  /// Before anything of that size is allocated: `count` of at least `bytes` each must fit in what is left.
  void check_count(uint64_t count, uint64_t limit, uint64_t bytes, std::string_view what) {
    if (count > limit) bad(count, " ", what, ", more than the limit of ", limit);
    if (count > in_.remaining() / bytes)
      bad("truncated: ", count, " ", what, " do not fit in the ", in_.remaining(), " bytes left of the file");
  }

  std::string_view name(std::string_view what, uint64_t max_bytes) {
    const uint64_t at = in_.position();
    const auto n = in_.read<uint64_t>(what);
    const std::string_view text = in_.text(n, max_bytes, what);
    if (!is_valid_name(text, max_bytes)) bad(what, " at byte ", at, " is empty or not printable ASCII");
    return text;
  }

  GgufType value_type(std::string_view key) {
    const auto type = in_.read<uint32_t>(key);
    if (type >= kGgufTypeCount) bad("metadata '", key, "' has unknown type ", type);
    return GgufType(type);
  }

  MetaEntry entry() {
    MetaEntry out;
    out.key = name("metadata key", kMaxKeyBytes);
    MetaValue &value = out.value;
    value.type = value_type(out.key);
    if (value.type == GgufType::String) {
      const auto n = in_.read<uint64_t>(out.key);
      value.payload = in_.take(n, out.key);
    } else if (value.type == GgufType::Array) {
      array(out.key, value);
    } else {
      value.payload = in_.take(size_bytes(value.type), out.key);
      if (value.type == GgufType::Bool) check_bools(out.key, value.payload);
    }
    return out;
  }

  void array(std::string_view key, MetaValue &value) {
    value.element_type = value_type(key);
    value.count = in_.read<uint64_t>(key);
    if (value.element_type == GgufType::Array) bad("metadata '", key, "' is an array of arrays");
    if (value.element_type != GgufType::String) {
      const uint64_t element_bytes = size_bytes(value.element_type);
      check_count(value.count, UINT64_MAX, element_bytes, concat("values of '", key, "'"));
      value.payload = in_.take(value.count * element_bytes, key);
      if (value.element_type == GgufType::Bool) check_bools(key, value.payload);
      return;
    }
    check_count(value.count, kMaxStringsInArray, 8, concat("strings of '", key, "'"));
    ByteReader ahead = in_; // walks the strings; the payload is then taken whole
    for (uint64_t i = 0; i < value.count; ++i) {
      const auto n = ahead.read<uint64_t>(key);
      ahead.take(n, key);
    }
    value.payload = in_.take(ahead.position() - in_.position(), key);
  }

  void check_bools(std::string_view key, std::span<const std::byte> values) const {
    for (const std::byte b : values)
      if (b > std::byte{1}) bad("metadata '", key, "' is a bool of value ", unsigned(b));
  }

  void check_alignment(const GgufContents &contents) const {
    const auto found = std::find_if(contents.metadata.begin(), contents.metadata.end(),
                                    [](const MetaEntry &e) { return e.key == "general.alignment"; });
    const uint64_t alignment =
        found == contents.metadata.end() ? 32 : found->value.as<uint32_t>().value_or(0); // 32: GGUF's default
    if (alignment != kFileAlignment)
      bad("general.alignment is ", alignment, ", expected ", kFileAlignment,
          ": a GGUF file, but not one that fovea convert wrote");
  }

  GgufTensor tensor() {
    GgufTensor out;
    out.name = name("tensor name", kMaxNameBytes);
    const auto rank = in_.read<uint32_t>(out.name);
    if (rank < 1 || rank > kMaxRank)
      bad("tensor '", out.name, "' has rank ", rank, ", expected 1 to ", kMaxRank);
    std::array<uint64_t, kMaxRank> dims{};
    for (uint32_t i = 0; i < rank; ++i) {
      dims[rank - 1 - i] = in_.read<uint64_t>(out.name); // the file has the innermost first
      if (dims[rank - 1 - i] == 0) bad("tensor '", out.name, "' has a dimension of 0");
    }
    out.shape = Shape(std::span<const uint64_t>(dims.data(), rank));
    const auto type = in_.read<uint32_t>(out.name);
    const auto encoding = gguf_encoding(type);
    if (!encoding)
      fail(ErrorCode::Unsupported, path_, ": tensor '", out.name, "' has GGUF type ", type,
           ", expected f32 (0), f16 (1) or i32 (26): convert the original weights with fovea convert");
    out.encoding = *encoding;
    try {
      out.bytes = plane_bytes(out.shape, out.encoding);
    } catch (const Error &error) {
      bad("tensor '", out.name, "': ", error.what());
    }
    out.offset = in_.read<uint64_t>(out.name);
    return out;
  }

  /// Tensors lie one after another in their order, each padded to the alignment, up to the end of the file:
  /// no gap, no overlap, nothing out of range, nothing missing, nothing behind.
  void place(std::vector<GgufTensor> &tensors) const {
    const uint64_t start = align_up(in_.position(), kFileAlignment);
    uint64_t at = start;
    for (GgufTensor &tensor : tensors) {
      if (tensor.offset != at - start)
        bad("tensor '", tensor.name, "' is at data offset ", tensor.offset, ", expected ", at - start);
      if (at > size_bytes_ || tensor.bytes > size_bytes_ - at)
        bad("truncated: tensor '", tensor.name, "' needs bytes ", at, " to ",
            checked_add(at, tensor.bytes, tensor.name), ", the file has ", size_bytes_);
      tensor.offset = at;
      at = align_up(at + tensor.bytes, kFileAlignment);
    }
    if (at != size_bytes_) bad("the file has ", size_bytes_, " bytes, expected ", at);
  }

  template <class NameOf> void refuse_duplicates(std::string_view what, size_t count, NameOf name_of) const {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return name_of(a) < name_of(b); });
    for (size_t i = 1; i < count; ++i)
      if (name_of(order[i]) == name_of(order[i - 1])) bad("duplicate ", what, " '", name_of(order[i]), "'");
  }

  ByteReader in_;
  uint64_t size_bytes_;
  std::string_view path_;
};

} // namespace

GgufContents parse_gguf(std::span<const std::byte> bytes, std::string_view path) {
  return Parser(bytes, path).parse();
}

} // namespace fovea
