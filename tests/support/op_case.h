// Runs one small graph on the device and compares it with the scalar reference: the way every op is tested.
#pragma once

#include "exec/session.h"
#include "reference/interpreter.h"

#include <random>

namespace fovea::test {

struct OpCase {
  std::string graph_text;
  Bindings bindings;
  HostTensors inputs;
  HostTensors weights; // type.encoding says how they are stored; values are encoded by the runner
  StepValues steps;
  uint64_t terms = 1;          // longest sum in the graph: see tolerance()
  double tolerance_factor = 1; // above 1 only with a reason beside it
  std::function<void(DeviceCaps &)> adjust_caps;
};

/// Runs the case with every kernel variant the device admits (each one that selection prefers is disabled in
/// turn until none is left), outputs poisoned with NaN and guarded, states compared too. Fails the doctest
/// case on a difference. Returns the kernels of these variants (support/share.h: which of them ran).
std::set<std::string> run_op_case(const OpCase &c);

/// The plan of the case with the device's own choice of kernels, without running it.
Plan plan_op_case(const OpCase &c);

/// The largest error that correct arithmetic may show: `terms` roundings of the encoding's epsilon, relative
/// to the largest magnitude among the tensor's values.
double tolerance(Encoding encoding, uint64_t terms, double magnitude);

/// Values drawn from a normal distribution (or, for i32, uniform in [0, limit)); seeds are printed on
/// failure.
HostTensor random_tensor(const TensorType &type, uint32_t seed, float scale = 1, int32_t limit = 1);

/// The device under test, opened once.
std::shared_ptr<vk::Device> test_device();

/// Writes a flat file of one or more graphs and tensors and returns its path (in the test's temporary
/// folder).
std::string write_model(const std::vector<std::string> &graph_texts, const HostTensors &weights);

} // namespace fovea::test

namespace fovea {
using test::OpCase;
using test::random_tensor;
using test::run_op_case;
} // namespace fovea
