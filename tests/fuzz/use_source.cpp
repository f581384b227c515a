#include "fuzz/use_source.h"

#include "converter/architectures/architecture.h"
#include "fuzz/harness.h"

namespace fovea::fuzz {
namespace {

constexpr uint64_t kMaxElements = 1 << 18; // read of one tensor

void combine(const ModelPlan &plan, const Source &source) {
  for (const OutputTensor &t : plan.tensors) {
    if (!t.combine || t.shape.elements() > kMaxElements) continue;
    std::vector<std::vector<float>> inputs;
    for (const SourceInput &input : t.inputs) inputs.push_back(source.read(input.name));
    if (t.combine(inputs).size() != t.shape.elements())
      finding("a tensor of another size than its shape", t.name);
  }
}

} // namespace

void read_tensors(const Source &source) {
  for (const SourceTensor &t : source.tensors()) {
    const uint64_t n = t.shape.elements();
    std::vector<float> values(std::min(n, kMaxElements));
    source.read(t, n - values.size(), values);
  }
}

void use_source(const Source &source, uint32_t variant) {
  read_tensors(source);
  if (!source.text("config.json")) return;
  const ModelPlan plan = plan_model(source, variant % 2 ? Encoding::F32 : Encoding::Q8);
  if (variant / 2 % 8 == 0) check_graphs(plan);
  check_inputs(plan, source);
  combine(plan, source);
}

} // namespace fovea::fuzz
