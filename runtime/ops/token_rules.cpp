#include "ops/token_rules.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {

TensorType TokenRules::infer(const Types &t) const {
  t.require(logits, "logits", Encoding::F32);
  const Shape &shape = t.shape(logits);
  require_indexable(shape, "logits");
  t.require(suppress, "suppress", Encoding::F32, {shape.row()});
  t.require(rules, "rules", Encoding::I32, {shape.rows(), 4});
  return t[logits];
}

void TokenRules::lower(Lowering &l) const {
  const Shape &shape = l.shape(logits);
  const TokenRulesParams params{uint32_t(shape.rows()), uint32_t(shape.row()), time_begin};
  const KernelChoice choice = select_row_kernel(l.caps(), shape.rows(), shape.row(), KernelId::token_rules,
                                                KernelId::token_rules_subgroup);
  l.dispatch(choice, push_words(params),
             {l.read(0, logits), l.read(1, suppress), l.read(2, rules), l.write(3)}, 10 * shape.elements());
}

void TokenRules::reference(ReferenceCall &call) const {
  constexpr double kLowest = -3.0e38; // as in kernel.glsl
  const HostTensor &in = call.in(logits), &table = call.in(suppress), &given = call.in(rules);
  HostTensor &out = call.out();
  const size_t width = in.type.shape.row();
  for (size_t row = 0; row < in.type.shape.rows(); ++row) {
    const float *x = &in.f[row * width];
    const int32_t *rule = &given.i[row * 4];
    std::vector<bool> allowed(width);
    double text_max = kLowest, time_max = kLowest;
    for (size_t id = 0; id < width; ++id) {
      const bool time = id >= time_begin;
      const auto number = int64_t(id);
      allowed[id] = table.f[id] != 1 && !(table.f[id] == 2 && rule[3] != 0) &&
                    (time ? rule[1] <= number && number < rule[2] : number >= rule[0]);
      double &highest = time ? time_max : text_max;
      if (allowed[id]) highest = std::max(highest, double(x[id]));
    }
    double time_sum = 0;
    for (size_t id = time_begin; id < width; ++id)
      if (allowed[id]) time_sum += std::exp(x[id] - time_max);
    if (time_sum > 0 && time_max + std::log(time_sum) > text_max)
      std::fill_n(allowed.begin(), std::min<size_t>(time_begin, width), false);

    double highest = kLowest, sum = 0;
    for (size_t id = 0; id < width; ++id)
      if (allowed[id]) highest = std::max(highest, double(x[id]));
    for (size_t id = 0; id < width; ++id)
      if (allowed[id]) sum += std::exp(x[id] - highest);
    for (size_t id = 0; id < width; ++id)
      out.f[row * width + id] = float(allowed[id] ? x[id] - highest - std::log(sum) : kLowest);
  }
}

} // namespace fovea
