// ModelPlan: what an architecture says a flat file of a model holds. Plain data, made from names, shapes and
// configuration alone: no weight has been read.
//
// Rejected: letting architectures write files (each would repeat streaming, checks and reports).
#pragma once

#include "base/pattern.h"
#include "converter/sources/source.h"
#include "format/gguf_writer.h"

#include <functional>

namespace fovea {

/// How much an output tensor minds being rounded.
enum class TensorClass {
  Exact,      // always f32: biases, norms (a few kilobytes that touch every activation), positions, filters
  Sensitive,  // f16, or f32 when f32 is asked for: convolutions at the input
  Vocabulary, // never below q8: each row is one word's only representation, and rounding it goes straight
              // into the logits
  Delicate,   // never below q8: matrices whose rounding nothing after them absorbs (values, the second matrix
              // of an MLP), and every matrix of a narrow model
  Matrix,     // the encoding asked for
  Index,      // i32
};

/// The class of matrices that are not delicate by themselves, in a model whose residual stream is `width`
/// wide. Below 768 four bits change words (docs/accuracy.md).
inline TensorClass matrix_class(uint64_t width) {
  return width < 768 ? TensorClass::Delicate : TensorClass::Matrix;
}

/// A tensor of the source that an output is made from.
struct SourceInput {
  std::string name;
  Shape shape; // expected; dimensions of 1 may differ ([384, 1] for [384])
};

/// Makes an output's floats from its inputs' (in order, each whole).
using Combine = std::function<std::vector<float>(std::span<const std::vector<float>> inputs)>;

struct OutputTensor {
  std::string name;
  Shape shape;
  TensorClass tensor_class = TensorClass::Matrix;
  std::vector<SourceInput> inputs;
  /// Empty: the inputs' elements as they are, one input after the other, streamed in pieces.
  Combine combine;
  /// Without combine: row 0 of each input, row 1 of each …, the inputs being alike.
  bool interleaved = false;
};

struct ModelPlan {
  std::string architecture; // "whisper"
  std::vector<std::pair<std::string, MetaData>> metadata;
  std::vector<std::pair<std::string, std::string>> graphs; // name, text
  std::vector<OutputTensor> tensors;                       // in file order: a matrix, then its bias
  /// Source tensors that are known and not needed (tied or derived ones); `*` stands for any characters.
  std::vector<std::string> ignored;
  /// One line each for the model's owner: what was assumed, and what will not work.
  std::vector<std::string> warnings;

  void add(std::string key, MetaData value) { metadata.emplace_back(std::move(key), std::move(value)); }
  template <class... Parts> void warn(const Parts &...parts) { warnings.push_back(concat(parts...)); }
  /// An output that is the source tensor `input` as it is.
  void add_tensor(std::string name, Shape shape, TensorClass tensor_class, std::string input);
  /// An output computed from nothing, e.g. a window; `values` runs when it is written.
  void add_computed(std::string name, Shape shape, TensorClass tensor_class,
                    std::function<std::vector<float>()> values);
};

/// [rows, columns] → [columns, rows].
std::vector<float> transpose(std::span<const float> values, uint64_t rows, uint64_t columns);
/// Error InvalidFile that names every missing, misshaped and unexpected source tensor (the first eight of
/// each).
void check_inputs(const ModelPlan &plan, const Source &source);
/// Error InvalidGraph when a graph's text does not parse, or uses a tensor that the plan does not have.
void check_graphs(const ModelPlan &plan);

} // namespace fovea
