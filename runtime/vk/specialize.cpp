#include "vk/specialize.h"

#include "vk/spirv_ops.h"

#include <array>
#include <map>
#include <optional>

namespace fovea::vk {

using namespace spirv;

namespace {

constexpr uint32_t kSpecId = 1, kUnroll = 1, kDontUnroll = 2;

using Words = std::span<const uint32_t>;
using Value = std::optional<uint32_t>; // of a number or, 0 or 1, of a bool

Value compute(uint32_t op, uint32_t a, uint32_t b) {
  switch (op) {
  case OpIAdd: return a + b;
  case OpISub: return a - b;
  case OpIMul: return a * b;
  case OpUDiv: return b ? Value(a / b) : Value();
  case OpUMod: return b ? Value(a % b) : Value();
  case OpLogicalEqual:
  case OpIEqual: return a == b;
  case OpLogicalNotEqual:
  case OpINotEqual: return a != b;
  case OpLogicalOr:
  case OpBitwiseOr: return a | b;
  case OpLogicalAnd:
  case OpBitwiseAnd: return a & b;
  case OpBitwiseXor: return a ^ b;
  case OpUGreaterThan: return a > b;
  case OpUGreaterThanEqual: return a >= b;
  case OpULessThan: return a < b;
  case OpULessThanEqual: return a <= b;
  case OpShiftRightLogical: return b < 32 ? Value(a >> b) : Value();
  case OpShiftLeftLogical: return b < 32 ? Value(a << b) : Value();
  default: return {};
  }
}

class Specializer {
public:
  explicit Specializer(Words values) : values_(values) {}

  std::vector<uint32_t> run(Words words) {
    if (words.size() < kHeaderWords || words[0] != kMagic) return {};
    out_.assign(words.begin(), words.begin() + kHeaderWords);
    for (size_t at = kHeaderWords; at < words.size();) {
      const uint32_t length = words[at] >> 16;
      if (length == 0 || length > words.size() - at) return {};
      if (!visit(words[at] & 0xFFFFu, words.subspan(at + 1, length - 1))) return {};
      at += length;
    }
    return std::move(out_);
  }

private:
  bool emit(uint32_t op, Words operands) {
    out_.push_back(uint32_t(operands.size() + 1) << 16 | op);
    out_.insert(out_.end(), operands.begin(), operands.end());
    return true;
  }

  /// A constant of `type`, as number or as bool.
  bool emit_constant(uint32_t type, uint32_t id, uint32_t value) {
    known_[id] = value;
    if (type == bool_type_) return emit(value ? OpConstantTrue : OpConstantFalse, std::array{type, id});
    return emit(OpConstant, std::array{type, id, value});
  }

  uint32_t given(uint32_t id, uint32_t otherwise) const {
    const auto found = spec_ids_.find(id);
    return found != spec_ids_.end() && found->second < values_.size() ? values_[found->second] : otherwise;
  }

  Value known(uint32_t id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? Value() : Value(found->second);
  }

  /// False where it goes beyond what this knows.
  bool visit(uint32_t op, Words w) {
    switch (op) {
    case OpDecorate:
      if (w.size() != 3 || w[1] != kSpecId) return emit(op, w);
      spec_ids_[w[0]] = w[2]; // the decoration goes: only specialization constants may have it
      return true;
    case OpTypeBool:
      if (!w.empty()) bool_type_ = w[0];
      return emit(op, w);
    case OpConstantTrue:
    case OpConstantFalse:
      if (w.size() == 2) known_[w[1]] = op == OpConstantTrue;
      return emit(op, w);
    case OpConstant:
      if (w.size() == 3) known_[w[1]] = w[2];
      return emit(op, w);
    case OpSpecConstantTrue:
    case OpSpecConstantFalse:
      return w.size() == 2 && emit_constant(w[0], w[1], given(w[1], op == OpSpecConstantTrue) != 0);
    case OpSpecConstant: return w.size() == 3 && emit_constant(w[0], w[1], given(w[1], w[2]));
    case OpConstantComposite:
    case OpSpecConstantComposite:
      if (w.size() < 2) return false;
      composites_[w[1]] = {w.begin() + 2, w.end()};
      return emit(OpConstantComposite, w);
    case OpLoopMerge:
      if (w.size() != 3 || (w[2] & kUnroll) == 0) return emit(op, w);
      return emit(op, std::array{w[0], w[1], (w[2] & ~kUnroll) | kDontUnroll});
    case OpSpecConstantOp: {
      if (w.size() < 4) return false;
      const Value value = result(w[2], w.subspan(3));
      return value && emit_constant(w[0], w[1], *value);
    }
    default: return emit(op, w);
    }
  }

  Value result(uint32_t op, Words w) const {
    if (op == OpCompositeExtract) {
      const auto composite = composites_.find(w[0]);
      if (w.size() != 2 || composite == composites_.end() || w[1] >= composite->second.size()) return {};
      return known(composite->second[w[1]]);
    }
    const Value a = known(w[0]), b = w.size() > 1 ? known(w[1]) : Value(0u);
    if (!a || !b) return {};
    if (op == OpLogicalNot) return w.size() == 1 ? Value(*a == 0) : Value();
    if (op == OpSelect) return w.size() == 3 ? known(*a ? w[1] : w[2]) : Value();
    return w.size() == 2 ? compute(op, *a, *b) : Value();
  }

  Words values_;
  std::vector<uint32_t> out_;
  uint32_t bool_type_ = 0;
  std::map<uint32_t, uint32_t> spec_ids_, known_; // by result id
  std::map<uint32_t, std::vector<uint32_t>> composites_;
};

} // namespace

std::vector<uint32_t> specialize(Words words, Words values) { return Specializer(values).run(words); }

} // namespace fovea::vk
