#include "kernels/select.h"
#include "kernels/variants.h"

#include <numeric>

namespace fovea {
namespace {

/// The four rows of a strategy, in the order f32, f16, q8, q4.
KernelId by_encoding(Encoding encoding, std::array<KernelId, 4> ids) {
  switch (encoding) {
  case Encoding::F32: return ids[0];
  case Encoding::F16: return ids[1];
  case Encoding::Q8: return ids[2];
  case Encoding::Q4: return ids[3];
  case Encoding::I32: break;
  }
  fail(ErrorCode::InvalidArgument, "linear: weights of encoding ", encoding,
       " (f32, f16, q8 or q4 expected)");
}

std::string describe(const LinearShape &s) {
  return concat(s.windows ? "convolution of " : "linear of ", s.n_rows, " x ", s.k, " by ", s.weights, " ",
                s.n_cols, " x ", s.k);
}

void check(const LinearShape &s) {
  if (s.n_rows == 0 || s.n_cols == 0 || s.k == 0)
    fail(ErrorCode::InvalidArgument, describe(s), ": a size is 0");
  if (is_quantized(s.weights) && s.k % 32 != 0)
    fail(ErrorCode::InvalidArgument, describe(s), ": K must be a multiple of 32 for ", s.weights, " weights");
  if (int(s.bias == BiasPlace::Aux) + int(s.residual) + int(s.scales_in_aux) > 1)
    fail(ErrorCode::InvalidArgument, describe(s),
         ": only one of bias, residual and scales can be bound as aux");
  if (s.y_f16 && s.n_cols % 2 != 0)
    fail(ErrorCode::InvalidArgument, describe(s), ": an f16 output needs an even number of columns");
  if (s.gated && (s.residual || s.y_f16 || s.windows || s.n_cols % 2 != 0))
    fail(ErrorCode::InvalidArgument, describe(s),
         ": gated columns come in pairs, with no residual and no f16 output");
}

/// Specialization constants 0 to 6, shared by the family; a kernel's own follow.
std::vector<uint32_t> linear_spec(const LinearShape &s, uint32_t local_size,
                                  std::initializer_list<uint32_t> own) {
  std::vector<uint32_t> spec{local_size,
                             uint32_t(s.activation),
                             uint32_t(s.bias),
                             residual_constant(s.residual, s.residual_first, s.gated),
                             uint32_t(s.scales_in_aux),
                             uint32_t(s.y_f16),
                             uint32_t(s.bounded_x)};
  spec.insert(spec.end(), own);
  return spec;
}

/// Names the family, too.
KernelId base_kernel(const LinearShape &s) {
  return s.windows ? by_encoding(s.weights, {KernelId::conv2d_base_f32, KernelId::conv2d_base_f16,
                                             KernelId::conv2d_base_q8, KernelId::conv2d_base_q4})
                   : by_encoding(s.weights, {KernelId::linear_base_f32, KernelId::linear_base_f16,
                                             KernelId::linear_base_q8, KernelId::linear_base_q4});
}

void add_linear_base(Variants &v, const LinearShape &s) {
  const uint32_t rows = s.n_rows >= 4 ? 4 : s.n_rows >= 2 ? 2 : 1, cols = rows == 1 ? 2 : 4;
  const uint32_t lanes_n = s.n_rows <= 8 ? 64 : 8, lanes_m = 64 / lanes_n;
  v.add({base_kernel(s)}, linear_spec(s, 64, {rows, cols, lanes_n}),
        div_up(s.n_rows, rows * lanes_m) * div_up(s.n_cols, cols * lanes_n));
}

/// What all subgroup kernels need: a workgroup that is exactly one subgroup, and 16-byte loads.
bool subgroup_linear(const DeviceCaps &caps, const LinearShape &s) {
  return caps.fixed_subgroups() && caps.subgroup_shuffle && caps.subgroup_size <= 64 && s.aligned;
}

/// K in whole vectors and, where there are scales, whole groups.
uint32_t whole_k(Encoding e) { return std::max(elements_per_vector(e), info(e).group_size); }

/// See linear_subgroup.comp for the meaning of its constants.
void add_linear_subgroup(Variants &v, const LinearShape &s, Operands operands, uint32_t rows) {
  const uint32_t lanes = v.caps.subgroup_size;
  if (!subgroup_linear(v.caps, s)) return;
  const bool texels = operands == Operands::Texels;
  if (texels && !s.texels) return;
  const KernelId id =
      s.windows && texels ? by_encoding(s.weights, {KernelId::conv2d_texel_f32, KernelId::conv2d_texel_f16,
                                                    KernelId::conv2d_texel_q8, KernelId::conv2d_texel_q4})
      : s.windows ? by_encoding(s.weights, {KernelId::conv2d_subgroup_f32, KernelId::conv2d_subgroup_f16,
                                            KernelId::conv2d_subgroup_q8, KernelId::conv2d_subgroup_q4})
      : texels    ? by_encoding(s.weights, {KernelId::linear_texel_f32, KernelId::linear_texel_f16,
                                            KernelId::linear_texel_q8, KernelId::linear_texel_q4})
                  : by_encoding(s.weights, {KernelId::linear_subgroup_f32, KernelId::linear_subgroup_f16,
                                            KernelId::linear_subgroup_q8, KernelId::linear_subgroup_q4});
  const uint32_t cols = 4;
  // Each lane has something to load. What is decoded is worth more products for each load of a sum.
  const uint32_t part_k = std::max(is_quantized(s.weights) ? 16u : 4u, lanes * 4 / rows);
  // Of q4 half a vector: a loop's body that outgrows the instruction cache of a CPU is slower by a third.
  const uint32_t step = std::max(std::min(elements_per_vector(s.weights), 16u), part_k);
  if (s.k % std::max(whole_k(s.weights), step) != 0) return;
  std::vector<uint32_t> spec =
      linear_spec(s, lanes, {rows, rows * part_k / 4 / lanes, step / part_k, step, s.quad_stores});
  // One pipeline less to compile: the parameters say that there is no bias (kNoBias).
  if (texels && s.bias == BiasPlace::None) spec[2] = uint32_t(BiasPlace::Weights);
  v.add({id, {rows}}, std::move(spec), div_up(s.n_rows, rows) * div_up(s.n_cols, cols * lanes), 0, operands);
}

/// Subgroups of four, which broadcasts with a literal lane are written out for.
bool broadcast_linear(const DeviceCaps &caps, const LinearShape &s) {
  return caps.fixed_subgroups() && caps.subgroup_ballot && caps.subgroup_size == 4 && s.aligned;
}

void add_linear_broadcast(Variants &v, const LinearShape &s) {
  if (!broadcast_linear(v.caps, s) || s.k % whole_k(s.weights) != 0) return;
  const KernelId id =
      s.windows ? by_encoding(s.weights, {KernelId::conv2d_broadcast_f32, KernelId::conv2d_broadcast_f16,
                                          KernelId::conv2d_broadcast_q8, KernelId::conv2d_broadcast_q4})
                : by_encoding(s.weights, {KernelId::linear_broadcast_f32, KernelId::linear_broadcast_f16,
                                          KernelId::linear_broadcast_q8, KernelId::linear_broadcast_q4});
  const uint32_t rows = 16, cols = 16;
  v.add({id}, linear_spec(s, v.caps.subgroup_size, {s.quad_stores}),
        div_up(s.n_rows, rows) * div_up(s.n_cols, cols));
}

/// Up to this many rows a matrix-vector kernel is the better one, and takes them all at once.
constexpr uint32_t kVectorRows = 8;

uint32_t vector_rows(const LinearShape &s) { return std::min(s.n_rows, kVectorRows); }

void add_linear_vector_base(Variants &v, const LinearShape &s) {
  const KernelId id =
      by_encoding(s.weights, {KernelId::linear_vector_base_f32, KernelId::linear_vector_base_f16,
                              KernelId::linear_vector_base_q8, KernelId::linear_vector_base_q4});
  // More sums than 16 and Mesa 25's llvmpipe compiles for minutes.
  const uint32_t rows = vector_rows(s), cols = rows > 4 ? 2 : 4, lanes = 64;
  v.add({id}, linear_spec(s, lanes, {rows, cols, rows * cols * lanes}),
        div_up(s.n_rows, rows) * div_up(s.n_cols, cols), uint64_t(rows) * cols * lanes * 4);
}

void add_linear_vector_broadcast(Variants &v, const LinearShape &s) {
  if (!broadcast_linear(v.caps, s) || s.k % std::max(16u, whole_k(s.weights)) != 0) return;
  const KernelId id =
      by_encoding(s.weights, {KernelId::linear_vector_broadcast_f32, KernelId::linear_vector_broadcast_f16,
                              KernelId::linear_vector_broadcast_q8, KernelId::linear_vector_broadcast_q4});
  const uint32_t rows = vector_rows(s), cols = 16;
  v.add({id}, linear_spec(s, v.caps.subgroup_size, {rows, s.quad_stores}),
        div_up(s.n_rows, rows) * div_up(s.n_cols, cols));
}

void add_linear_vector_subgroup(Variants &v, const LinearShape &s, bool default_tile) {
  const KernelId id =
      by_encoding(s.weights, {KernelId::linear_vector_subgroup_f32, KernelId::linear_vector_subgroup_f16,
                              KernelId::linear_vector_subgroup_q8, KernelId::linear_vector_subgroup_q4});
  if (!subgroup_linear(v.caps, s) || !v.caps.subgroup_arithmetic || s.k % elements_per_vector(s.weights) != 0)
    return;
  const uint32_t rows = vector_rows(s), cols = (rows > 2) == default_tile ? 4 : 8,
                 lanes = v.caps.subgroup_size;
  const uint32_t groups = s.n_cols >= 4096 && v.caps.prefers_serial() ? 8 : 1;
  v.add({id, {cols}}, linear_spec(s, lanes, {rows, cols, groups}),
        div_up(s.n_rows, rows) * div_up(s.n_cols, cols * groups));
}

void add_linear_vector_columns(Variants &v, const LinearShape &s, Operands operands, bool default_tile) {
  const bool texels = operands == Operands::Texels;
  if (texels && !s.texels) return;
  const KernelId id =
      texels
          ? by_encoding(s.weights, {KernelId::linear_vector_texel_f32, KernelId::linear_vector_texel_f16,
                                    KernelId::linear_vector_texel_q8, KernelId::linear_vector_texel_q4})
          : by_encoding(s.weights, {KernelId::linear_vector_columns_f32, KernelId::linear_vector_columns_f16,
                                    KernelId::linear_vector_columns_q8, KernelId::linear_vector_columns_q4});
  const uint32_t rows = vector_rows(s), lanes = v.caps.subgroup_size;
  // Narrow subgroups only: on wider ones neighbouring lanes should read neighbouring words of W.
  if (!subgroup_linear(v.caps, s) || lanes > 16) return;
  const uint32_t step = std::max(whole_k(s.weights), lanes * 4);
  if (s.k % step != 0) return;
  // Past the caches, more columns have more lines of memory on their way at a time.
  const uint32_t cols = (rows == 1 && s.n_cols >= 1536) == default_tile ? 8 : 4;
  v.add({id, {cols}}, linear_spec(s, lanes, {rows, cols, step, s.quad_stores}),
        div_up(s.n_rows, rows) * div_up(s.n_cols, cols * lanes), 0, operands);
}

KernelId vector_stream(Encoding weights) {
  return by_encoding(weights, {KernelId::linear_vector_stream_f32, KernelId::linear_vector_stream_f16,
                               KernelId::linear_vector_stream_q8, KernelId::linear_vector_stream_q4});
}

/// Blocks of columns for each workgroup. Each reads x once more, so they are few; and odd in number: llvmpipe
/// gives each of T threads count / T of them at once and the rest one by one, and its threads wake tens of
/// microseconds apart, so that the first has done more than its part when the last begins.
uint64_t stream_share(uint64_t n_blocks, uint64_t n_products) {
  const uint64_t most = n_products < 600'000 ? 3 : n_products < 4'000'000 ? 7 : 15;
  uint64_t share = div_up(n_blocks, most);
  while (div_up(n_blocks, share) % 2 == 0) ++share;
  return share;
}

/// Whole rows of W in the order of memory, where the subgroup is a CPU's vector.
void add_linear_vector_stream(Variants &v, const LinearShape &s) {
  const uint32_t rows = vector_rows(s), lanes = v.caps.subgroup_size;
  if (!subgroup_linear(v.caps, s) || !s.texels || lanes > 8 || s.k % whole_k(s.weights) != 0) return;
  // Rows of W that fill the vectors of all lanes, and of quantized weights whole texels of scales.
  const uint32_t row_vectors = s.k / elements_per_vector(s.weights),
                 group = lanes / std::gcd(row_vectors, lanes);
  const uint32_t vectors = row_vectors * group / lanes;
  // x stays in registers, or a CPU's first cache.
  if (s.n_cols % group != 0 ||
      uint64_t(rows) * vectors * elements_per_vector(s.weights) > (rows == 1 ? 2048 : 1024))
    return;
  if (is_quantized(s.weights) && vectors * lanes * elements_per_vector(s.weights) % 128 != 0) return;
  const uint64_t n_blocks = div_up(s.n_cols, 2 * lanes),
                 share = stream_share(n_blocks, uint64_t(s.n_rows) * s.n_cols * s.k);
  std::vector<uint32_t> spec = linear_spec(s, lanes, {rows, group, vectors, 0});
  if (s.bias == BiasPlace::None) spec[2] = uint32_t(BiasPlace::Weights); // one pipeline less: kNoBias
  v.add({vector_stream(s.weights)}, std::move(spec), div_up(n_blocks, share), 0, Operands::TexelPairs);
}

} // namespace

std::vector<LinearChoice> all_linear_variants(const DeviceCaps &caps, const LinearShape &shape) {
  check(shape);
  Variants v{caps};
  if (shape.n_rows <= kVectorRows && !shape.windows) {
    for (const Operands operands : v.operands())
      for (const bool default_tile : {true, false})
        add_linear_vector_columns(v, shape, operands, default_tile);
    for (const bool default_tile : {true, false}) add_linear_vector_subgroup(v, shape, default_tile);
    add_linear_vector_stream(v, shape);
    add_linear_vector_broadcast(v, shape);
    add_linear_vector_base(v, shape);
  }
  for (const Operands operands : v.operands())
    for (const uint32_t rows : {16u, 8u}) add_linear_subgroup(v, shape, operands, rows);
  add_linear_broadcast(v, shape);
  add_linear_base(v, shape);
  apply_tuning(
      caps, {base_kernel(shape), {rows_class(shape.n_rows), size_class(shape.n_cols), size_class(shape.k)}},
      v.choices);
  for (KernelChoice &choice : v.choices) choice.groups[2] = shape.groups;
  return std::move(v.choices);
}

LinearChoice select_linear(const DeviceCaps &caps, const LinearShape &shape) {
  Variants v{caps, all_linear_variants(caps, shape)};
  return v.first(describe(shape));
}

std::optional<LinearChoice> select_normalizing_linear(const DeviceCaps &caps, const LinearShape &shape,
                                                      uint32_t norm) {
  LinearChoice choice = select_linear(caps, shape);
  if (choice.kernel != vector_stream(shape.weights)) return {};
  choice.spec.back() = norm;
  choice.key = {};
  choice.among.clear();
  return choice;
}

} // namespace fovea
