#include "format/model_file.h"

#include "base/checked.h"
#include "format/checksum.h"
#include "format/flat_file.h"
#include "format/quantized.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

namespace fovea {
namespace {

template <class NameOf> std::vector<uint32_t> sorted_by(size_t count, NameOf name_of) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return name_of(a) < name_of(b); });
  return order;
}

template <class Rows, class NameOf>
const typename Rows::value_type *find_sorted(const Rows &rows, const std::vector<uint32_t> &order,
                                             std::string_view name, NameOf name_of) {
  const auto at = std::lower_bound(order.begin(), order.end(), name,
                                   [&](uint32_t i, std::string_view n) { return name_of(rows[i]) < n; });
  return at != order.end() && name_of(rows[*at]) == name ? &rows[*at] : nullptr;
}

constexpr auto key_of = [](const MetaEntry &e) { return e.key; };
constexpr auto name_of_tensor = [](const TensorInfo &t) { return t.name; };

// Names for the types of find_*, get_* in errors.
template <class T> constexpr const char *kTypeName = "integer in range";
template <> constexpr const char *kTypeName<bool> = "bool";
template <> constexpr const char *kTypeName<float> = "float";
template <> constexpr const char *kTypeName<std::string_view> = "string";
template <> constexpr const char *kTypeName<std::vector<std::string_view>> = "array of strings";
template <> constexpr const char *kTypeName<std::vector<int32_t>> = "array of 32-bit integers in range";
template <> constexpr const char *kTypeName<std::vector<float>> = "array of f32";
template <> constexpr const char *kTypeName<std::vector<double>> = "array of f64";
template <> constexpr const char *kTypeName<std::vector<uint8_t>> = "array of u8";

} // namespace

namespace {

// The likeliest mistake: the folder of weights that a model file is made from.
const std::string &not_a_folder(const std::string &path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    fail(ErrorCode::InvalidFile, path, ": is a folder; fovea convert makes a model file of one with weights");
  return path;
}

} // namespace

ModelFile::ModelFile(const std::string &path) : ModelFile(MappedFile(not_a_folder(path))) {}

ModelFile::ModelFile(MappedFile map) : map_(std::move(map)) {
  GgufContents contents = parse_gguf(bytes(), path());
  metadata_ = std::move(contents.metadata);
  metadata_by_key_ = sorted_by(metadata_.size(), [&](uint32_t i) { return metadata_[i].key; });
  check_metadata();
  join_planes(contents.tensors);
  tensors_by_name_ = sorted_by(tensors_.size(), [&](uint32_t i) { return tensors_[i].name; });
  for (size_t i = 1; i < tensors_.size();
       ++i) { // W beside the planes of W; plain duplicates are refused earlier
    const std::string_view name = tensors_[tensors_by_name_[i]].name;
    if (name == tensors_[tensors_by_name_[i - 1]].name)
      fail(ErrorCode::InvalidFile, path(), ": duplicate tensor '", name, "'");
  }
}

void ModelFile::check_metadata() {
  const auto version = find_u32(kFormatVersionKey);
  if (!version)
    fail(ErrorCode::InvalidFile, path(), ": metadata '", kFormatVersionKey,
         "' is missing: a GGUF file, but not one that fovea convert wrote");
  if (*version != kFormatVersion)
    fail(ErrorCode::Unsupported, path(), ": format version ", *version, ", this build reads ",
         kFormatVersion);
  for (const MetaEntry &entry : metadata_) {
    if (!entry.key.starts_with(kGraphPrefix)) continue;
    if (entry.key.size() == kGraphPrefix.size() || entry.value.type != GgufType::String)
      fail(ErrorCode::InvalidFile, path(), ": metadata '", entry.key, "' is not a named graph's text");
    graph_names_.push_back(entry.key.substr(kGraphPrefix.size()));
  }
}

void ModelFile::join_planes(const std::vector<GgufTensor> &planes) {
  tensors_.reserve(planes.size());
  for (size_t i = 0; i < planes.size(); ++i) {
    const GgufTensor &q = planes[i];
    const size_t colon = q.name.find(':');
    if (colon == std::string_view::npos) {
      tensors_.push_back({q.name, {q.shape, q.encoding}, q.offset, q.bytes, 0, 0});
      continue;
    }
    const std::string_view name = q.name.substr(0, colon);
    if (name.empty() || q.name.substr(colon) != kCodePlane)
      fail(ErrorCode::InvalidFile, path(), ": '", q.name, "' is not a plane this build knows (W", kCodePlane,
           " followed by W", kScalePlane, ")");
    if (i + 1 == planes.size() || planes[i + 1].name != concat(name, kScalePlane))
      fail(ErrorCode::InvalidFile, path(), ": '", q.name, "' is not followed by its scales '", name,
           kScalePlane, "'");
    const GgufTensor &s = planes[++i];
    const auto type = type_of_planes(q, s);
    if (!type)
      fail(ErrorCode::InvalidFile, path(), ": planes '", q.name, "' ", TensorType{q.shape, q.encoding},
           " and '", s.name, "' ", TensorType{s.shape, s.encoding}, " fit no encoding");
    tensors_.push_back({name, *type, q.offset, q.bytes, s.offset, s.bytes});
  }
}

const TensorInfo *ModelFile::find(std::string_view name) const {
  return find_sorted(tensors_, tensors_by_name_, name, name_of_tensor);
}

const TensorInfo &ModelFile::require(std::string_view name) const {
  if (const TensorInfo *tensor = find(name)) return *tensor;
  fail(ErrorCode::NotFound, path(), ": no tensor '", name, "'");
}

const MetaValue *ModelFile::find_meta(std::string_view key) const {
  const MetaEntry *entry = find_sorted(metadata_, metadata_by_key_, key, key_of);
  return entry ? &entry->value : nullptr;
}

template <class T> std::optional<T> ModelFile::find_as(std::string_view key) const {
  const MetaValue *value = find_meta(key);
  if (!value) return {};
  auto out = value->as<T>();
  if (!out)
    fail(ErrorCode::InvalidFile, path(), ": metadata '", key, "' is ", value->type, " ", to_text(*value),
         ", expected ", kTypeName<T>);
  return out;
}

template <class T> T ModelFile::get_as(std::string_view key) const {
  auto out = find_as<T>(key);
  if (!out) fail(ErrorCode::NotFound, path(), ": metadata '", key, "' is missing");
  return *std::move(out);
}

#define FOVEA_INSTANTIATE(T)                                                                                 \
  template std::optional<T> ModelFile::find_as<T>(std::string_view) const;                                   \
  template T ModelFile::get_as<T>(std::string_view) const
FOVEA_INSTANTIATE(bool);
FOVEA_INSTANTIATE(uint32_t);
FOVEA_INSTANTIATE(int32_t);
FOVEA_INSTANTIATE(uint64_t);
FOVEA_INSTANTIATE(float);
FOVEA_INSTANTIATE(std::string_view);
FOVEA_INSTANTIATE(std::vector<std::string_view>);
FOVEA_INSTANTIATE(std::vector<int32_t>);
FOVEA_INSTANTIATE(std::vector<float>);
FOVEA_INSTANTIATE(std::vector<double>);
FOVEA_INSTANTIATE(std::vector<uint8_t>);
#undef FOVEA_INSTANTIATE

std::string_view ModelFile::graph_text(std::string_view name) const {
  if (const auto text = find_string(concat(kGraphPrefix, name))) return *text;
  std::string known;
  for (const std::string_view graph : graph_names_) known += concat(known.empty() ? "" : ", ", graph);
  fail(ErrorCode::NotFound, path(), ": no graph '", name, "' (it has: ", known.empty() ? "none" : known, ")");
}

void ModelFile::decode_rows(const TensorInfo &tensor, uint64_t first, uint64_t count,
                            std::span<float> out) const {
  const uint64_t n_rows = tensor.type.shape.rows(), row = tensor.type.shape.row();
  if (first > n_rows || count > n_rows - first || out.size() != count * row)
    fail(ErrorCode::InvalidArgument, path(), ": tensor '", tensor.name, "' has ", n_rows, " rows, asked for ",
         count, " from ", first);
  const uint64_t row_bytes = tensor.bytes / n_rows, row_scale_bytes = tensor.scale_bytes / n_rows;
  for (uint64_t i = 0; i < count; ++i)
    decode_row(tensor.type.encoding, plane(tensor).subspan((first + i) * row_bytes, row_bytes),
               scales(tensor).subspan((first + i) * row_scale_bytes, row_scale_bytes),
               out.subspan(i * row, row));
}

void ModelFile::verify(const std::function<bool()> &keep_going) const {
  constexpr size_t kPieceBytes = 64 << 20;
  const MetaValue *stored = find_meta(kChecksumKey);
  if (!stored || stored->type != GgufType::U64)
    fail(ErrorCode::InvalidFile, path(), ": no checksum to verify (metadata '", kChecksumKey,
         "'); convert or download it again");
  const size_t at = size_t(stored->payload.data() - bytes().data());
  constexpr std::array<std::byte, 8> zeros{}; // the checksum's own place counts as zeros
  Checksum sum;
  sum.update(bytes().first(at));
  sum.update(zeros);
  for (auto rest = bytes().subspan(at + zeros.size()); !rest.empty();) {
    if (keep_going && !keep_going()) fail(ErrorCode::Cancelled, path(), ": reading it was cancelled");
    const size_t n = std::min(rest.size(), kPieceBytes);
    sum.update(rest.first(n));
    rest = rest.subspan(n);
  }
  if (sum.value() != *stored->as<uint64_t>())
    fail(ErrorCode::InvalidFile, path(),
         ": damaged: its bytes do not match its checksum; convert or download it again");
}

} // namespace fovea
