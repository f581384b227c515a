#include "ops/top_k.h"

#include "ops/map.h"

#include <algorithm>
#include <numeric>

namespace fovea {
namespace {

constexpr uint32_t kMaxK = 64;
constexpr uint64_t kMaxRow = 1ull << 24; // indices are exact as floats
constexpr uint64_t kMaxBlocks = 1024;    // kMaxBlocks of shaders/top_k_merge.comp

uint64_t block_of(uint64_t width) { return std::max<uint64_t>(256, div_up(width, kMaxBlocks)); }

} // namespace

TensorType TopK::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 1 || shape.rank() >= kMaxRank)
    fail(ErrorCode::InvalidGraph, "x must have rank 1 to 3, it is ", shape);
  require_indexable(shape, "x");
  if (shape.row() > kMaxRow)
    fail(ErrorCode::Unsupported, "rows of x have ", shape.row(), " elements, at most ", kMaxRow,
         " are possible");
  if (k == 0 || k > std::min<uint64_t>(kMaxK, shape.row()))
    fail(ErrorCode::InvalidGraph, "k=", k, " is not between 1 and ", std::min<uint64_t>(kMaxK, shape.row()));
  std::vector<uint64_t> dims(shape.dims().begin(), shape.dims().end());
  dims.back() = k;
  dims.push_back(2);
  return {Shape{std::span<const uint64_t>(dims)}, Encoding::F32};
}

void TopK::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const uint64_t n_rows = shape.rows(), width = shape.row();
  const uint64_t block = block_of(width), n_blocks = div_up(width, block);
  const BufferRef best = l.temporary(n_rows * n_blocks * 2 * sizeof(float));

  const TopKBlocksParams blocks{uint32_t(n_rows * n_blocks), uint32_t(n_blocks), uint32_t(width),
                                uint32_t(block)};
  const KernelChoice first = select_row_kernel(l.caps(), n_rows * n_blocks, std::min(block, width),
                                               KernelId::top_k_blocks, KernelId::top_k_blocks_subgroup);
  l.dispatch(first, push_words(blocks), {l.read(0, x), {1, best, Access::Write}}, shape.elements());

  const TopKMergeParams merge{uint32_t(n_rows), uint32_t(n_blocks), uint32_t(width), uint32_t(block), k};
  const KernelChoice second = select_row_kernel(l.caps(), n_rows, std::max(block, n_blocks),
                                                KernelId::top_k_merge, KernelId::top_k_merge_subgroup);
  l.dispatch(second, push_words(merge), {l.read(0, x), {1, best, Access::Read}, l.write(2)},
             n_rows * k * (n_blocks + block));
}

// The second dispatch looks again through each block but the last that it took from.
void TopK::work(OpWork &work) const {
  const uint64_t width = work.shape(x).row();
  if (work.dispatch_index() == 1) work.reads(x, double((k - 1) * block_of(width)) / double(width));
}

void TopK::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t width = in.type.shape.row();
  std::vector<uint32_t> order(width);
  for (size_t row = 0; row < in.type.shape.rows(); ++row) {
    const float *values = &in.f[row * width];
    std::iota(order.begin(), order.end(), 0u);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](uint32_t a, uint32_t b) {
      return values[a] != values[b] ? values[a] > values[b] : a < b;
    });
    for (size_t i = 0; i < k; ++i) {
      out.f[(row * k + i) * 2] = values[order[i]];
      out.f[(row * k + i) * 2 + 1] = float(order[i]);
    }
  }
}

} // namespace fovea
