#include "kernels/select.h"
#include "kernels/variants.h"

namespace fovea {
namespace {

constexpr uint32_t kMaxHeadSize = 256; // what the kernels' registers and shared memory are sized for
constexpr uint32_t kFewQueries = 4;    // up to here the kernel for few queries is the better one
constexpr uint32_t kMostSplits = 8, kMostInvocations = 256;

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
  if (s.head_size > kMaxHeadSize)
    fail(ErrorCode::Unsupported, describe(s), ": heads may have up to ", kMaxHeadSize, " elements");
}

/// Workgroup size, what all strategies share, a strategy's own.
std::vector<uint32_t> constants(const AttentionShape &s, uint32_t local_size, std::vector<uint32_t> own) {
  std::vector<uint32_t> out = {local_size};
  const std::vector<uint32_t> common = attention_constants(s);
  out.insert(out.end(), common.begin(), common.end());
  out.insert(out.end(), own.begin(), own.end());
  return out;
}

void add_attention_base(Variants &v, const AttentionShape &s) {
  const uint32_t local_size = s.n_queries == 1 ? 128 : 64;
  const uint32_t rows = s.n_queries == 1 ? 1 : s.n_queries < 4 ? 2 : 4;
  v.add({KernelId::attention_base},
        constants(s, local_size, {rows, uint32_t(div_up(s.head_size, local_size))}),
        div_up(s.n_queries, rows) * s.n_heads * s.n_batch, uint64_t(rows) * (s.head_size + 256) * 4);
}

bool subgroup_attention(const DeviceCaps &caps, const AttentionShape &s) {
  return caps.fixed_subgroups() && caps.subgroup_shuffle && caps.subgroup_arithmetic &&
         caps.subgroup_size <= 64 && s.aligned;
}

/// A workgroup is one subgroup. See attention_subgroup.comp for the meaning of its constants.
void add_attention_subgroup_rows(Variants &v, const AttentionShape &s, Operands operands, uint32_t rows) {
  const bool texels = operands == Operands::Texels;
  if (!subgroup_attention(v.caps, s) || (texels && !s.texels)) return;
  const uint32_t lanes = v.caps.subgroup_size;
  const uint32_t columns = uint32_t(div_up(s.head_size, lanes * 4));
  const uint32_t quads = std::max(1u, lanes / rows);
  if (s.head_size % (4 * quads) != 0) return;
  v.add({texels ? KernelId::attention_texel : KernelId::attention_subgroup, {rows}},
        constants(s, lanes, {rows, rows * quads / lanes, quads, columns, rows * lanes}),
        div_up(s.n_queries, rows) * s.n_heads * s.n_batch, uint64_t(rows) * lanes * 16, operands);
}

void add_attention_subgroup(Variants &v, const AttentionShape &s, Operands operands) {
  const uint32_t lanes = v.caps.subgroup_size;
  if (lanes == 0) return;
  const uint64_t columns = div_up(s.head_size, lanes * 4);
  // More rows mean fewer loads for the same work, until the sums (rows x columns x 4) take too long to spill.
  const uint32_t rows = columns <= 2 && lanes <= 16 ? 32 : columns <= 4 ? 16 : 8;
  add_attention_subgroup_rows(v, s, operands, rows);
  add_attention_subgroup_rows(v, s, operands, rows / 2);
}

/// `queries` of `heads` at once, `splits` subgroups for them. See attention_subgroup_few.comp.
void add_attention_few(Variants &v, const AttentionShape &s, Operands operands, uint32_t queries,
                       uint32_t heads, uint32_t splits) {
  const bool texels = operands == Operands::Texels;
  if (!subgroup_attention(v.caps, s) || (texels && !s.texels) || s.head_size % elements_per_vector(s.kv) != 0)
    return;
  const uint32_t rows = queries * heads, partials = splits > 1 ? splits * rows * (s.head_size / 4 + 1) : 1;
  v.add({texels ? KernelId::attention_texel_few : KernelId::attention_subgroup_few, {heads, splits}},
        constants(s, v.caps.subgroup_size * splits, {queries, heads, splits, partials}),
        div_up(s.n_queries, queries) * div_up(s.n_heads / s.n_kv_heads, heads) * s.n_kv_heads * s.n_batch,
        partials * 16ull, operands);
}

void add_attention_subgroup_few(Variants &v, const AttentionShape &s, Operands operands) {
  const uint32_t lanes = v.caps.subgroup_size;
  if (lanes == 0) return;
  // Each lane holds whole rows of q: beyond 256 numbers they spill, and take drivers minutes to compile.
  const uint32_t rows = std::clamp<uint32_t>(256 / s.head_size, 1, 4);
  const uint32_t queries = std::min(rows, s.n_queries >= 3 ? 4 : s.n_queries);
  if (s.n_queries > kFewQueries) return add_attention_few(v, s, operands, queries, 1, 1);
  // As many heads in each group.
  const uint32_t sharing = s.n_heads / s.n_kv_heads, most = std::min(rows / queries, sharing);
  const uint32_t heads = uint32_t(div_up(sharing, div_up(sharing, most)));
  const uint32_t blocks = uint32_t(div_up(s.n_keys, 4 * lanes)); // of keys
  const uint32_t splits =
      std::min({kMostSplits, std::min(kMostInvocations, v.caps.max_workgroup_invocations) / lanes, blocks});
  // One head is little for a GPU, and barriers much for a software driver.
  const bool serial = v.caps.prefers_serial();
  add_attention_few(v, s, operands, queries, heads, serial ? 1 : splits);
  if (heads > 1) add_attention_few(v, s, operands, queries, 1, serial ? 1 : splits);
  if (splits > 1) add_attention_few(v, s, operands, queries, heads, serial ? splits : 1);
}

} // namespace

std::vector<uint32_t> attention_constants(const AttentionShape &s) {
  return {s.kv == Encoding::F32   ? 0u
          : s.kv == Encoding::F16 ? 1u
                                  : 2u,
          uint32_t(s.causal), s.head_size,
          uint32_t(s.mask) | uint32_t(s.bias) << 1 | uint32_t(s.window) << 2};
}

std::vector<AttentionChoice> all_attention_variants(const DeviceCaps &caps, const AttentionShape &shape) {
  check(shape);
  Variants v{caps};
  const bool few = shape.n_queries <= kFewQueries;
  for (const bool first : {true, false})
    for (const Operands operands : v.operands())
      (few == first ? add_attention_subgroup_few : add_attention_subgroup)(v, shape, operands);
  add_attention_base(v, shape);
  apply_tuning(caps,
               {KernelId::attention_base,
                {rows_class(shape.n_queries), size_class(shape.n_keys), shape.head_size, uint32_t(shape.kv)}},
               v.choices);
  return std::move(v.choices);
}

AttentionChoice select_attention(const DeviceCaps &caps, const AttentionShape &shape) {
  Variants v{caps, all_attention_variants(caps, shape)};
  return v.first(describe(shape));
}

} // namespace fovea
