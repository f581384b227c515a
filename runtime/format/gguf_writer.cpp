#include "format/gguf_writer.h"

#include "base/checked.h"
#include "format/flat_file.h"

#include <algorithm>

namespace fovea {
namespace {

template <class T> constexpr GgufType kGgufTypeOf = GgufType::Array;
template <> constexpr GgufType kGgufTypeOf<bool> = GgufType::Bool;
template <> constexpr GgufType kGgufTypeOf<uint32_t> = GgufType::U32;
template <> constexpr GgufType kGgufTypeOf<int32_t> = GgufType::I32;
template <> constexpr GgufType kGgufTypeOf<uint64_t> = GgufType::U64;
template <> constexpr GgufType kGgufTypeOf<float> = GgufType::F32;
template <> constexpr GgufType kGgufTypeOf<double> = GgufType::F64;
template <> constexpr GgufType kGgufTypeOf<uint8_t> = GgufType::U8;
template <> constexpr GgufType kGgufTypeOf<std::string> = GgufType::String;

constexpr uint64_t kFixedHeaderBytes = 4 + 4 + 8 + 8;

} // namespace

GgufWriter::GgufWriter(const std::string &path) : path_(path), file_(path) {
  add("general.alignment", uint32_t(kFileAlignment));
  add(kFormatVersionKey, kFormatVersion);
  add(kChecksumKey, uint64_t(0)); // filled in by commit()
  checksum_at_ = kFixedHeaderBytes + metadata_.size() - 8;
}

void GgufWriter::check_open(std::string_view what) const {
  if (header_written_)
    fail(ErrorCode::Internal, path_, ": ", what, " declared after the first tensor was written");
}

template <class T> void GgufWriter::put(const T &value) {
  metadata_.append(reinterpret_cast<const char *>(&value), sizeof value);
}

void GgufWriter::put_text(std::string_view text) {
  put(uint64_t(text.size()));
  metadata_ += text;
}

void GgufWriter::add(std::string_view key, const MetaData &value) {
  check_open(key);
  if (!is_valid_name(key, kMaxKeyBytes))
    fail(ErrorCode::InvalidArgument, path_, ": '", key, "' cannot be a metadata key");
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end())
    fail(ErrorCode::InvalidArgument, path_, ": metadata '", key, "' is given twice");
  keys_.emplace_back(key);
  put_text(key);
  put_value(value);
  ++n_metadata_;
}

void GgufWriter::put_value(const MetaData &value) {
  std::visit(
      [this](const auto &v) {
        using T = std::decay_t<decltype(v)>;
        put(uint32_t(kGgufTypeOf<T>));
        if constexpr (std::is_same_v<T, std::string>) {
          put_text(v);
        } else if constexpr (std::is_arithmetic_v<T>) {
          put(v);
        } else {
          put(uint32_t(kGgufTypeOf<typename T::value_type>));
          put(uint64_t(v.size()));
          for (const auto &element : v)
            if constexpr (std::is_same_v<T, std::vector<std::string>>)
              put_text(element);
            else
              put(element);
        }
      },
      value);
}

void GgufWriter::add_graph(std::string_view name, std::string text) {
  add(concat(kGraphPrefix, name), std::move(text));
}

void GgufWriter::add_tensor(std::string_view name, const TensorType &type) {
  check_open(name);
  if (name.find(':') != std::string_view::npos || !is_valid_name(name, kMaxNameBytes - kCodePlane.size()))
    fail(ErrorCode::InvalidArgument, path_, ": '", name,
         "' cannot be a tensor name (printable ASCII without ':', at most ",
         kMaxNameBytes - kCodePlane.size(), " characters)");
  if (type.shape.rank() == 0 || type.shape.elements() == 0)
    fail(ErrorCode::InvalidArgument, path_, ": tensor '", name, "' ", type, " is empty or has no dimension");
  for (auto &[plane, plane_type] : planes_of(name, type)) {
    for (const Plane &other : planes_)
      if (other.name == plane)
        fail(ErrorCode::InvalidArgument, path_, ": tensor '", name, "' is given twice");
    std::swap(metadata_, tensor_table_); // put() appends to metadata_
    put_text(plane);
    put(uint32_t(plane_type.shape.rank()));
    for (int i = plane_type.shape.rank(); i-- > 0;) put(plane_type.shape[i]);
    put(*gguf_tensor_type(plane_type.encoding));
    put(data_bytes_);
    std::swap(metadata_, tensor_table_);
    const uint64_t bytes = plane_type.bytes(), padded = align_up(bytes, kFileAlignment);
    planes_.push_back({std::move(plane), bytes, padded});
    data_bytes_ = checked_add(data_bytes_, padded, name);
  }
}

uint64_t GgufWriter::total_bytes() const {
  const uint64_t header = kFixedHeaderBytes + metadata_.size() + tensor_table_.size();
  return (header_written_ ? data_start_ : align_up(header, kFileAlignment)) + data_bytes_;
}

void GgufWriter::emit(std::span<const std::byte> bytes) {
  file_.write(bytes);
  checksum_.update(bytes);
}

void GgufWriter::write_header() {
  data_start_ = total_bytes() - data_bytes_;
  const std::string metadata = std::move(metadata_);
  metadata_.clear();
  put(kGgufMagic);
  put(kGgufVersion);
  put(uint64_t(planes_.size()));
  put(n_metadata_);
  metadata_ += metadata;
  metadata_ += tensor_table_;
  metadata_.resize(data_start_, '\0');
  emit(std::as_bytes(std::span(metadata_.data(), metadata_.size())));
  metadata_.clear();
  header_written_ = true;
}

void GgufWriter::write(std::span<const std::byte> bytes) {
  if (!header_written_) write_header();
  if (plane_ == planes_.size() || bytes.size() > planes_[plane_].bytes - in_plane_)
    fail(ErrorCode::Internal, path_, ": ", bytes.size(), " bytes more than ",
         plane_ == planes_.size() ? "all tensors" : planes_[plane_].name, " needs");
  emit(bytes);
  in_plane_ += bytes.size();
  const Plane &plane = planes_[plane_];
  if (in_plane_ < plane.bytes) return;
  constexpr std::array<std::byte, kFileAlignment> zeros{};
  emit(std::span(zeros).first(plane.padded_bytes - plane.bytes));
  ++plane_;
  in_plane_ = 0;
}

void GgufWriter::commit() {
  if (!header_written_) write_header();
  if (plane_ != planes_.size())
    fail(ErrorCode::Internal, path_, ": tensor '", planes_[plane_].name, "' is not written");
  const uint64_t sum = checksum_.value();
  file_.write_at(checksum_at_, std::as_bytes(std::span(&sum, 1)));
  file_.commit();
}

} // namespace fovea
