#include "kernels/select.h"

#include <algorithm>

namespace fovea {
namespace {

/// Folds a count over x and y; a kernel's tile is x + y * groups.x. False when it does not fit.
bool fold(const DeviceCaps &caps, uint64_t n_tiles, std::array<uint32_t, 3> &groups) {
  const uint64_t max_x = std::min<uint64_t>(caps.max_workgroup_count[0], 65535);
  const uint64_t max_y = std::min<uint64_t>(caps.max_workgroup_count[1], 65535);
  const uint64_t x = std::min(n_tiles, max_x);
  const uint64_t y = (n_tiles + x - 1) / x;
  groups = {uint32_t(x), uint32_t(y), 1};
  return y <= max_y && x * y < (1ull << 32);
}

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Collects the variants that the device admits.
struct Variants {
  const DeviceCaps &caps;
  std::vector<KernelChoice> choices{};

  void add(KernelId kernel, std::vector<uint32_t> spec, uint64_t n_tiles, uint64_t shared_bytes = 0) {
    KernelChoice choice{kernel, std::move(spec), {1, 1, 1}};
    const uint32_t local_size = choice.spec[0];
    if (caps.disabled_kernels.count(uint32_t(kernel)) != 0) return;
    if (local_size > caps.max_workgroup_invocations || local_size > caps.max_workgroup_size[0]) return;
    if (shared_bytes > caps.max_shared_memory_bytes) return;
    if (fold(caps, n_tiles, choice.groups)) choices.push_back(std::move(choice));
  }
};

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
  return concat("linear of ", s.n_rows, " x ", s.k, " by ", s.weights, " ", s.n_cols, " x ", s.k);
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
}

/// Specialization constants 0 to 6, shared by the family; a kernel's own follow.
std::vector<uint32_t> linear_spec(const LinearShape &s, uint32_t local_size,
                                  std::initializer_list<uint32_t> own) {
  std::vector<uint32_t> spec{local_size,           uint32_t(s.activation),    uint32_t(s.bias),
                             uint32_t(s.residual), uint32_t(s.scales_in_aux), uint32_t(s.y_f16),
                             uint32_t(s.bounded_x)};
  spec.insert(spec.end(), own);
  return spec;
}

void add_linear_base(Variants &v, const LinearShape &s) {
  const KernelId id = by_encoding(s.weights, {KernelId::linear_base_f32, KernelId::linear_base_f16,
                                              KernelId::linear_base_q8, KernelId::linear_base_q4});
  const uint32_t rows = s.n_rows >= 4 ? 4 : s.n_rows >= 2 ? 2 : 1, cols = rows == 1 ? 2 : 4;
  const uint32_t lanes_n = s.n_rows <= 8 ? 64 : 8, lanes_m = 64 / lanes_n;
  v.add(id, linear_spec(s, 64, {rows, cols, lanes_n}),
        ceil_div(s.n_rows, rows * lanes_m) * ceil_div(s.n_cols, cols * lanes_n));
}

/// A workgroup is one subgroup. See linear_subgroup.comp for the meaning of its constants.
void add_linear_subgroup(Variants &v, const LinearShape &s) {
  const uint32_t lanes = v.caps.subgroup_size;
  if (!v.caps.fixed_subgroups() || !v.caps.subgroup_shuffle || lanes > 64 || !s.aligned) return;
  const KernelId id = by_encoding(s.weights, {KernelId::linear_subgroup_f32, KernelId::linear_subgroup_f16,
                                              KernelId::linear_subgroup_q8, KernelId::linear_subgroup_q4});
  const uint32_t rows = 16, cols = 4;
  const uint32_t vector_k = s.weights == Encoding::F32 ? 4 : s.weights == Encoding::F16 ? 8 : 32;
  const uint32_t part_k = std::max(4u, lanes * 4 / rows); // so that each lane has something to load
  const uint32_t step = std::max(vector_k, part_k);
  if (s.k % step != 0) return;
  v.add(id, linear_spec(s, lanes, {rows, rows * part_k / 4 / lanes, step / part_k, step}),
        ceil_div(s.n_rows, rows) * ceil_div(s.n_cols, cols * lanes));
}

std::string describe(const AttentionShape &s) {
  return concat("attention of ", s.n_batch, " x ", s.n_queries, " queries, ", s.n_keys, " keys, ", s.n_heads,
                " heads of ", s.head_size);
}

void check(const AttentionShape &s) {
  if (s.n_heads == 0 || s.n_kv_heads == 0 || s.head_size == 0 || s.n_queries == 0 || s.n_batch == 0 ||
      s.n_keys == 0)
    fail(ErrorCode::InvalidArgument, describe(s), ": a size is 0");
  if (s.n_heads % s.n_kv_heads != 0)
    fail(ErrorCode::InvalidArgument, describe(s), ": the number of heads must be a multiple of the ",
         s.n_kv_heads, " key heads");
}

void add_attention_base(Variants &v, const AttentionShape &s) {
  if (s.head_size > 256) return;
  const uint32_t local_size = s.n_queries == 1 ? 128 : 64;
  const uint32_t rows = s.n_queries == 1 ? 1 : s.n_queries < 4 ? 2 : 4;
  v.add(KernelId::attention_base,
        {local_size, uint32_t(s.kv_f16), uint32_t(s.causal), s.head_size, rows,
         uint32_t(ceil_div(s.head_size, local_size))},
        ceil_div(s.n_queries, rows) * s.n_heads * s.n_batch, uint64_t(rows) * (s.head_size + 256) * 4);
}

bool subgroup_attention(const DeviceCaps &caps, const AttentionShape &s) {
  return caps.fixed_subgroups() && caps.subgroup_shuffle && caps.subgroup_arithmetic && caps.subgroup_size <= 64 &&
         s.aligned && s.head_size <= 256;
}

/// A workgroup is one subgroup. See attention_subgroup.comp for the meaning of its constants.
void add_attention_subgroup(Variants &v, const AttentionShape &s) {
  const uint32_t lanes = v.caps.subgroup_size;
  if (!subgroup_attention(v.caps, s)) return;
  const uint32_t columns = uint32_t(ceil_div(s.head_size, lanes * 4));
  // More rows mean fewer loads for the same work, until the sums (rows x columns x 4) take too long to spill.
  const uint32_t rows = columns <= 2 && lanes <= 16 ? 32 : columns <= 4 ? 16 : 8;
  const uint32_t quads = std::max(1u, lanes / rows);
  if (s.head_size % (4 * quads) != 0) return;
  v.add(KernelId::attention_subgroup,
        {lanes, uint32_t(s.kv_f16), uint32_t(s.causal), s.head_size, rows, rows * quads / lanes, quads, columns,
         rows * lanes},
        ceil_div(s.n_queries, rows) * s.n_heads * s.n_batch, uint64_t(rows) * lanes * 16);
}

void add_attention_subgroup_few(Variants &v, const AttentionShape &s) {
  const uint32_t lanes = v.caps.subgroup_size;
  const uint32_t rows = s.n_queries >= 3 ? 4 : s.n_queries;
  if (!subgroup_attention(v.caps, s) || s.head_size % (s.kv_f16 ? 8 : 4) != 0) return;
  v.add(KernelId::attention_subgroup_few,
        {lanes, uint32_t(s.kv_f16), uint32_t(s.causal), s.head_size, rows, rows * lanes},
        ceil_div(s.n_queries, rows) * s.n_heads * s.n_batch, uint64_t(rows) * lanes * 16);
}

template <class Shape>
KernelChoice first(std::vector<KernelChoice> choices, const Shape &shape, const DeviceCaps &caps) {
  if (choices.empty())
    fail(ErrorCode::Unsupported, describe(shape), ": no kernel for it works on ", caps.name,
         " (fovea doctor shows why each one is disabled)");
  return std::move(choices.front());
}

} // namespace

std::vector<LinearChoice> all_linear_variants(const DeviceCaps &caps, const LinearShape &shape) {
  check(shape);
  Variants v{caps};
  add_linear_subgroup(v, shape);
  add_linear_base(v, shape);
  return std::move(v.choices);
}

LinearChoice select_linear(const DeviceCaps &caps, const LinearShape &shape) {
  return first(all_linear_variants(caps, shape), shape, caps);
}

std::vector<AttentionChoice> all_attention_variants(const DeviceCaps &caps, const AttentionShape &shape) {
  check(shape);
  Variants v{caps};
  if (shape.n_queries <= 4) {
    add_attention_subgroup_few(v, shape);
    add_attention_subgroup(v, shape);
  } else {
    add_attention_subgroup(v, shape);
    add_attention_subgroup_few(v, shape);
  }
  add_attention_base(v, shape);
  return std::move(v.choices);
}

AttentionChoice select_attention(const DeviceCaps &caps, const AttentionShape &shape) {
  return first(all_attention_variants(caps, shape), shape, caps);
}

} // namespace fovea
