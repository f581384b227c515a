// What lstm and gru share: a layer's walk over its rows, one after another, with a hidden row h (and an
// LSTM's cell c) in hand. The input's share of all gates is computed before, by one linear over all rows;
// here is the rest:
//   a[t] = x[t] + W h[t-1] + bias, then the cell's own gates (lstm.h, gru.h)
// A narrow layer runs in one dispatch, a workgroup a sequence; of a wide one every row is a dispatch of its
// own, spread over the device (Appleyard et al., "Optimizing Performance of Recurrent Neural Networks on
// GPUs", 2016).
#pragma once

#include "graph/lowering.h"
#include "kernels/catalogue.h"
#include "ops/recurrence_operands.h"

namespace fovea {

struct RecurrenceCall : RecurrenceOperands {
  const char *op;
  uint32_t n_gates, n_carried;     // 4 and 2 (h, c), or 3 and 1 (h)
  std::array<KernelId, 4> kernels; // f32, f16, q8, q4
};

TensorType infer_recurrence(const Types &t, const RecurrenceCall &call);
void lower_recurrence(Lowering &l, const RecurrenceCall &call);
/// `cell`: the sums a of all gates but for W h of unit j in `recurrent` and x in `input` (by gate, bias in
/// `recurrent`), h and c of the step before; gives h and sets c.
using Cell = double (*)(const double *input, const double *recurrent, double h, double &c);
void reference_recurrence(ReferenceCall &call, const RecurrenceCall &recurrence, Cell cell);

} // namespace fovea
