#include "ops/map_positions.h"

#include "ops/map.h"

#include <cmath>

namespace fovea {
namespace {

// So that the last position does not quite reach `scale`, as trained.
constexpr float kEpsilon = 1e-6f;

float step_of(uint64_t size, float scale) { return scale > 0 ? scale / (float(size) + kEpsilon) : 1.0f; }

} // namespace

TensorType MapPositions::infer(const Types &t) const {
  const Shape &in = t.shape(x);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  if (features == 0 || features > 1 << 16 || !(temperature > 1) || !(scale >= 0) ||
      bool(columns) != bool(rows))
    fail(ErrorCode::InvalidGraph, "impossible features=", features, " temperature=", temperature,
         " scale=", scale, " or one table of two");
  for (const auto &[table, name, size] : {std::tuple{columns, "columns", in[2]}, {rows, "rows", in[1]}}) {
    if (!table) continue;
    t.require(table, name, Encoding::F32);
    const Shape &shape = t.shape(table);
    if (shape.rank() != 2 || shape[1] != features)
      fail(ErrorCode::InvalidGraph, name, " must be [.., ", features, "], it is ", shape);
    if (shape[0] < size)
      fail(ErrorCode::Unsupported, "a map of ", in[1], " x ", in[2], " positions; the model has learned ",
           shape[0], " ", name);
  }
  const Shape result{in[1], in[2], 2ull * features};
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void MapPositions::lower(Lowering &l) const {
  const Shape &out = l.target().type.shape;
  MapPositionsParams p{};
  p.n_elements = uint32_t(out.elements());
  p.width = uint32_t(out[1]);
  p.features = features;
  p.step_h = step_of(out[0], scale);
  p.step_w = step_of(out[1], scale);
  p.log2_temperature = float(std::log2(double(temperature)));
  const KernelChoice choice = map_kernel(l.caps(), p.n_elements, KernelId::map_positions, {bool(rows)});
  const Value any = x;
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, columns ? columns : any), l.read(1, rows ? rows : any), l.write(2)},
             40 * out.elements());
}

void MapPositions::reference(ReferenceCall &call) const {
  HostTensor &out = call.out();
  const Shape &to = out.type.shape;
  size_t at = 0;
  for (uint64_t h = 0; h < to[0]; ++h)
    for (uint64_t w = 0; w < to[1]; ++w)
      for (uint64_t d = 0; d < to[2]; ++d, ++at) {
        const bool second = d >= features;
        const uint64_t f = d % features;
        if (rows) {
          out.f[at] = second ? call.in(rows).f[h * features + f] : call.in(columns).f[w * features + f];
          continue;
        }
        const double angle = double(second ? w + 1 : h + 1) * double(step_of(second ? to[1] : to[0], scale));
        const double wave = std::pow(double(temperature), double(f & ~1ull) / features);
        out.f[at] = float(f % 2 == 0 ? std::sin(angle / wave) : std::cos(angle / wave));
      }
}

} // namespace fovea
