// convert(): a trained model → a flat file.
//
// Streams tensor by tensor: memory is that of one piece (16 MiB of floats), or of one tensor where the plan
// computes it. Encoding runs on all cores; one conversion at a time uses them all. The output appears whole
// or not at all, and an existing one is replaced only on success. Errors name the file or the tensor; nothing
// is written before the source's names and shapes, the target and the free space have been checked.
#pragma once

#include "converter/model_plan.h"
#include "converter/quantize/quantize.h"

namespace fovea {

struct Progress {
  uint64_t done_bytes, total_bytes; // of the output
  std::string_view tensor;          // the one being written
};

struct ConvertOptions {
  Encoding encoding = Encoding::F16; // of matrices: f32, f16, q8 or q4
  unsigned n_threads = 0;            // 0: one for each core
  /// Called often, from the calling thread; return false to stop (Error Cancelled, nothing written).
  std::function<bool(const Progress &)> progress;
  bool pure = false; // q4 also for what TensorClass keeps at q8
};

struct TensorReport {
  std::string name;
  TensorType type;
  uint64_t bytes = 0; // in the output, without padding
  EncodingError error;
  std::string note; // why the encoding is not the one asked for
};

struct ConvertReport {
  std::string architecture;
  uint64_t source_bytes = 0, output_bytes = 0;
  std::vector<TensorReport> tensors; // in file order
  std::vector<std::string> warnings; // a line each: what was assumed, and what will not work
  double seconds = 0;
};

/// Converts the model at `source_path` with the architecture that knows it.
ConvertReport convert(const std::string &source_path, const std::string &output_path,
                      const ConvertOptions &options);

/// The same from an open source and a plan.
ConvertReport convert(const Source &source, const ModelPlan &plan, const std::string &output_path,
                      const ConvertOptions &options);

/// The type that a tensor of the plan gets, and why when it is not the one asked for.
TensorType output_type(const OutputTensor &tensor, const ConvertOptions &options, std::string &note);

/// The report for people: totals by encoding; `every_tensor` adds a line for each tensor.
std::string to_text(const ConvertReport &report, bool every_tensor);

} // namespace fovea
