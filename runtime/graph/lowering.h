// Lowering: what an op sees while it turns itself into dispatches. It names values and byte offsets inside
// them; where they lie in memory, and which dispatches need a barrier between them, the planner decides
// afterwards. Throws what kernel selection throws (Unsupported), and Internal when an op binds what it must
// not.
#pragma once

#include "base/device_caps.h"
#include "graph/dispatch.h"
#include "graph/op.h"
#include "kernels/select_row.h"

#include <functional>

namespace fovea {

/// No step value: the constant 0. Same as kNoStep in shaders/include/step.glsl.
inline constexpr uint32_t kNoStep = 0xFFFFFFFFu;

/// A tensor of the file as the planner sees it. Offsets are file offsets, multiples of 256.
struct WeightInfo {
  TensorType type;
  uint64_t offset = 0;       // first plane
  uint64_t scale_offset = 0; // scale plane; 0 for plain encodings
};

/// A whole value, a temporary, or a range of the file, before placement.
struct BufferRef {
  enum class Kind : uint8_t { Value, Temporary, Weights } kind = Kind::Value;
  uint32_t id = 0;                // value or temporary; unused for weights
  uint64_t offset = 0, bytes = 0; // within it (file offset for weights)
};

/// A second range behind a binding, for kernels that would need more than four. Both must be of one memory.
/// The planner adds where each range begins in the binding, in elements, to a word of the push constants.
struct JoinedRef {
  BufferRef ref;
  uint32_t first_push = 0, second_push = 0; // which words
  uint32_t element_bytes = 4;
};

struct BoundRef {
  uint32_t slot = 0;
  BufferRef ref;
  Access access = Access::Read;
  std::optional<JoinedRef> joined{};
};

/// Several parts of the file behind one binding. offset_of(): bytes from the window's start.
struct WeightWindow {
  BufferRef ref;
  uint64_t offset_of(uint64_t file_offset) const { return file_offset - ref.offset; }
};

/// Where an op's result goes: its own value, or rows of a state.
struct Target {
  BufferRef ref;
  TensorType type;         // of the destination (a state may be f16)
  uint32_t at = kNoStep;   // step slot of the first row written
  uint64_t batch_rows = 0; // rows of a batch in the destination
  bool is_state = false;
};

/// Rows of `x` normalized: what a product can do by itself to what it reads, in place of a dispatch before
/// it.
struct RowNorm {
  enum class Kind : uint8_t { Rms = 1, Layer = 2 }; // kNorm of shaders/linear_vector_stream.comp
  Kind kind = Kind::Rms;
  Value x, gamma, beta; // no beta with Rms
  float eps = 0;
  uint64_t row_stride = 1; // row r is row (r + 1) * row_stride - 1 of x
};

class Lowering {
public:
  virtual ~Lowering() = default;
  virtual const DeviceCaps &caps() const = 0;
  virtual const TensorType &type(Value value) const = 0;
  const Shape &shape(Value value) const { return type(value).shape; }
  virtual bool is_weight(Value value) const = 0;
  virtual const WeightInfo &weight(Value value) const = 0;
  /// StepParams slot of a step, kNoStep for an empty name.
  virtual uint32_t step(const StepName &name) const = 0;

  /// The whole of a value; of a weight, its first plane.
  virtual BufferRef ref(Value value) const = 0;
  virtual const Target &target() const = 0;
  /// Where the op writes n_rows rows of each batch into a state that it takes: from row `at` on, which no
  /// submit may then choose so that they do not fit.
  virtual Target state_rows(Value state, const StepName &at, uint64_t n_rows) = 0;
  /// Whether one binding can cover both: two states, or two parts of one temporary.
  virtual bool can_join(const BufferRef &a, const BufferRef &b) const = 0;
  /// Makes the result another name of `v`'s bytes: no dispatch. False when it must be a copy (an output, or
  /// rows of a state).
  virtual bool view(Value v) = 0;
  /// Puts off this op, a norm: nothing is to be dispatched now. An op that takes norms asks deferred() and
  /// reads RowNorm::x, or has it computed after all; for every other op the planner does that. False where it
  /// must be computed now.
  virtual bool defer(const RowNorm &norm) = 0;
  virtual std::optional<RowNorm> deferred(Value v) const = 0;
  virtual void compute(Value deferred) = 0;
  /// Scratch that lives for this op only.
  virtual BufferRef temporary(uint64_t bytes) = 0;
  /// `bytes`: what it reads and writes, where it reads parts of its bindings, or the same again and again; 0:
  /// what it is bound to.
  virtual void dispatch(const KernelChoice &choice, std::vector<uint32_t> push,
                        std::vector<BoundRef> bindings, uint64_t flops, uint64_t bytes) = 0;
  void dispatch(const KernelChoice &choice, std::vector<uint32_t> push, std::vector<BoundRef> bindings,
                uint64_t flops) {
    dispatch(choice, std::move(push), std::move(bindings), flops, 0);
  }
  void dispatch(KernelId kernel, std::vector<uint32_t> spec, std::vector<uint32_t> push,
                std::array<uint32_t, 3> groups, std::vector<BoundRef> bindings, uint64_t flops,
                uint64_t bytes = 0) {
    dispatch({kernel, std::move(spec), groups}, std::move(push), std::move(bindings), flops, bytes);
  }

  BoundRef read(uint32_t slot, Value value) const { return {slot, ref(value), Access::Read}; }
  BoundRef write(uint32_t slot) const { return {slot, target().ref, Access::Write}; }

  /// The smallest binding that covers [begin, end) of the file, starting on the device's offset alignment;
  /// nothing when it would be larger than the device can bind.
  std::optional<WeightWindow> window(uint64_t begin, uint64_t end) const;
  /// Bytes that a window holds wherever they begin.
  uint64_t window_bytes() const;
};

} // namespace fovea
