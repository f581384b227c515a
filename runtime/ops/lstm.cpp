#include "ops/lstm.h"

#include "ops/recurrence.h"

#include <cmath>

namespace fovea {
namespace {

RecurrenceCall call_of(const Lstm &op) {
  return {op, "lstm", 4, 2, {KernelId::lstm_f32, KernelId::lstm_f16, KernelId::lstm_q8, KernelId::lstm_q4}};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

} // namespace

TensorType Lstm::infer(const Types &t) const { return infer_recurrence(t, call_of(*this)); }

void Lstm::lower(Lowering &l) const { lower_recurrence(l, call_of(*this)); }

void Lstm::reference(ReferenceCall &call) const {
  reference_recurrence(call, call_of(*this), [](const double *in, const double *a, double, double &c) {
    c = sigmoid(in[1] + a[1]) * c + sigmoid(in[0] + a[0]) * std::tanh(in[2] + a[2]);
    return sigmoid(in[3] + a[3]) * std::tanh(c);
  });
}

} // namespace fovea
