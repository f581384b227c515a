#include "ops/gru.h"

#include "ops/recurrence.h"

#include <cmath>

namespace fovea {
namespace {

RecurrenceCall call_of(const Gru &op) {
  return {op, "gru", 3, 1, {KernelId::gru_f32, KernelId::gru_f16, KernelId::gru_q8, KernelId::gru_q4}};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

} // namespace

TensorType Gru::infer(const Types &t) const { return infer_recurrence(t, call_of(*this)); }

void Gru::lower(Lowering &l) const { lower_recurrence(l, call_of(*this)); }

void Gru::reference(ReferenceCall &call) const {
  reference_recurrence(call, call_of(*this), [](const double *in, const double *a, double h, double &) {
    const double r = sigmoid(in[0] + a[0]), z = sigmoid(in[1] + a[1]);
    return (1 - z) * std::tanh(in[2] + r * a[2]) + z * h;
  });
}

} // namespace fovea
