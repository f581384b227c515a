// Golden cases and real models from ../shared, converted and run, compared by normalized mean square error.
#pragma once

#include "converter/convert.h"
#include "converter/sources/safetensors.h"
#include "support/op_case.h"
#include "support/shared_folder.h"
#include "tasks/run_graphs.h"

namespace fovea::test {

/// Sum of squared differences over the sum of squares of `want`. Sizes must agree; NaN gives infinity.
double nmse(std::span<const float> got, std::span<const float> want);

/// A safetensors file's tensor `name`: f32, or i32 from any integer type.
HostTensor read_safetensor(const Source &file, const std::string &name);
Source open_safetensors(const std::string &path);

/// Converts `source` into the test's temporary folder, once per source, encoding and mix, and opens it.
std::shared_ptr<const Model> converted(const std::string &source, Encoding encoding, bool pure = false);

/// Converts golden/cases/NAME in f32, runs it on every `input.*` of its golden.safetensors and compares every
/// `output.*` (NMSE ≤ 1e-6). Hidden states need not be there; attention weights are compared where the model
/// offers them; token sequences are for the tests of tasks.
void check_golden_case(const std::string &name);
/// The same for a model's folder with a golden.safetensors.
void check_golden_folder(const std::string &folder);

/// A session on the test device.
Session make_session(std::shared_ptr<const Model> model, Bindings sizes = {{"B", 1}});

} // namespace fovea::test
