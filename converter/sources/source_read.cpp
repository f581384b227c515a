// Source::read: stored bytes → floats.
#include "base/checked.h"
#include "base/half.h"
#include "converter/sources/blocks.h"
#include "converter/sources/source.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kChunkElements = 1 << 16; // a multiple of every block

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
  default: decode_blocks(type, in, out);
  }
}

/// Reads a tensor's stored elements, with buffers that are kept from run to run.
class RunReader {
public:
  RunReader(const InputFile &file, const SourceTensor &tensor)
      : file_(file), tensor_(tensor), block_(block_elements(tensor.type)) {}

  /// Stored elements `begin`, `begin` + stride … Blocks have stride 1.
  void read(uint64_t begin, uint64_t stride, std::span<float> out) {
    const uint64_t step = std::max<uint64_t>(stride, 1),
                   in_chunk = std::max<uint64_t>(1, kChunkElements / step);
    while (!out.empty()) {
      const uint64_t n = std::min<uint64_t>(in_chunk, out.size());
      if (begin % block_ == 0 && n % block_ == 0 && stride == 1)
        decode(begin, out.first(n));
      else
        pick(begin, stride, out.first(n));
      begin += n * stride;
      out = out.subspan(n);
    }
  }

private:
  void decode(uint64_t begin, std::span<float> out) {
    bytes_.resize(out.size() / block_ * block_bytes(tensor_.type));
    file_.read_at(tensor_.offset + begin / block_ * block_bytes(tensor_.type), bytes_);
    to_floats(tensor_.type, bytes_, out);
  }
  void pick(uint64_t begin, uint64_t stride, std::span<float> out) {
    const uint64_t skip = begin % block_;
    floats_.resize(align_up(skip + (out.size() - 1) * stride + 1, block_));
    decode(begin - skip, floats_);
    for (size_t i = 0; i < out.size(); ++i) out[i] = floats_[skip + i * stride];
  }

  const InputFile &file_;
  const SourceTensor &tensor_;
  const uint64_t block_;
  std::vector<std::byte> bytes_;
  std::vector<float> floats_;
};

/// Elements `first` … of a tensor whose elements are not in order: runs along the dimension that is densest
/// in the file, those parts of them that are asked for.
void gather(RunReader &runs, const SourceLayout &layout, uint64_t first, std::span<float> out) {
  const auto &[dims, strides] = layout;
  const size_t rank = dims.size();
  size_t along = rank - 1;
  for (size_t i = rank; i-- > 0;)
    if (dims[i] > 1 && (dims[along] == 1 || strides[i] < strides[along])) along = i;
  uint64_t n_runs = 1, along_step = 1; // along_step: of the row-major number
  for (size_t i = 0; i < rank; ++i) {
    if (i != along) n_runs *= dims[i];
    if (i > along) along_step *= dims[i];
  }
  const uint64_t end = first + out.size();
  std::vector<float> run;
  for (uint64_t r = 0; r < n_runs; ++r) {
    uint64_t rest = r, number = 0, stored = 0, step = 1; // of the run's first element
    for (size_t i = rank; i-- > 0; step *= dims[i]) {
      if (i == along) continue;
      number += rest % dims[i] * step;
      stored += rest % dims[i] * strides[i];
      rest /= dims[i];
    }
    if (number >= end) continue;
    const uint64_t from = number >= first ? 0 : div_up(first - number, along_step);
    const uint64_t to = std::min(dims[along], div_up(end - number, along_step));
    if (from >= to) continue;
    run.resize(to - from);
    runs.read(stored + from * strides[along], strides[along], run);
    for (uint64_t i = from; i < to; ++i) out[number + i * along_step - first] = run[i - from];
  }
}

} // namespace

void Source::read(const SourceTensor &tensor, uint64_t first, std::span<float> out) const {
  const uint64_t n = tensor.shape.elements();
  if (first > n || out.size() > n - first)
    fail(ErrorCode::Internal, path_, ": tensor '", tensor.name, "' has ", n, " elements, asked for ",
         out.size(), " from ", first);
  if (out.empty()) return;
  RunReader runs(files_[tensor.file], tensor);
  if (tensor.layout.dims.empty())
    runs.read(first, 1, out);
  else
    gather(runs, tensor.layout, first, out);
  if (tensor.shift != 0)
    for (float &value : out) value += tensor.shift;
}

} // namespace fovea
