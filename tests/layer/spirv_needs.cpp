#include "layer/spirv_needs.h"

#include "vk/spirv_ops.h"

#include <algorithm>
#include <vector>

namespace fovea::layer {

using namespace spirv;

namespace {

constexpr uint32_t kSpecId = 1, kBuiltIn = 11, kWorkgroupSize = 25; // decorations, and a built-in
constexpr uint32_t kLocalSize = 17, kLocalSizeId = 38, kShared = 4; // execution modes, a storage class

using Words = std::span<const uint32_t>;
using Value = std::optional<uint32_t>;

Value compute(uint32_t opcode, uint32_t a, uint32_t b) {
  const auto signed_a = int32_t(a), signed_b = int32_t(b);
  const bool divides = b != 0 && !(signed_a == INT32_MIN && signed_b == -1);
  switch (opcode) {
  case 113:
  case 114:
  case 124: return a; // conversions between integers of 32 bits
  case 126: return 0 - a;
  case 128: return a + b;
  case 130: return a - b;
  case 132: return a * b;
  case 134: return b ? Value(a / b) : Value();
  case 135: return divides ? Value(uint32_t(signed_a / signed_b)) : Value();
  case 137: return b ? Value(a % b) : Value();
  case 138: return divides ? Value(uint32_t(signed_a % signed_b)) : Value();
  case 164:
  case 170: return a == b;
  case 165:
  case 171: return a != b;
  case 166:
  case 197: return a | b;
  case 167:
  case 199: return a & b;
  case 172: return a > b;
  case 173: return signed_a > signed_b;
  case 174: return a >= b;
  case 175: return signed_a >= signed_b;
  case 176: return a < b;
  case 177: return signed_a < signed_b;
  case 178: return a <= b;
  case 179: return signed_a <= signed_b;
  case 194: return b < 32 ? Value(a >> b) : Value();
  case 196: return b < 32 ? Value(a << b) : Value();
  case 198: return a ^ b;
  case 200: return ~a;
  default: return {};
  }
}

class Reader {
public:
  explicit Reader(const SpecValues &given) : given_(given) {}

  SpirvNeeds read(Words words) {
    for (size_t at = kHeaderWords; at < words.size();) {
      const uint32_t length = words[at] >> 16;
      if (length == 0 || length > words.size() - at) break;
      visit(words[at] & 0xFFFF, words.subspan(at + 1, length - 1));
      at += length;
    }
    needs_.workgroup = workgroup();
    needs_.shared_bytes = shared_bytes();
    return std::move(needs_);
  }

private:
  struct Layout {
    uint64_t bytes = 0, alignment = 1;
  };

  static bool long_enough(uint32_t opcode, Words w) {
    switch (opcode) {
    case OpCapability:
    case OpTypeBool:
    case OpTypeStruct: return !w.empty();
    case OpExecutionMode:
    case OpExecutionModeId:
      return w.size() >= 2 && ((w[1] != kLocalSize && w[1] != kLocalSizeId) || w.size() == 5);
    case OpTypeInt:
    case OpTypeFloat:
    case OpDecorate:
    case OpConstantTrue:
    case OpConstantFalse:
    case OpSpecConstantTrue:
    case OpSpecConstantFalse:
    case OpConstantComposite:
    case OpSpecConstantComposite: return w.size() >= 2;
    case OpSpecConstantOp: return w.size() >= 4;
    default: return w.size() >= 3;
    }
  }

  void visit(uint32_t opcode, Words w) {
    if (opcode > OpDecorate && opcode != OpExecutionModeId) return;
    if (!long_enough(opcode, w)) return;
    switch (opcode) {
    case OpCapability: needs_.capabilities.insert(w[0]); break;
    case OpExecutionMode:
      if (w[1] == kLocalSize) fixed_size_ = {w[2], w[3], w[4]};
      break;
    case OpExecutionModeId:
      if (w[1] == kLocalSizeId) size_ids_ = {w[2], w[3], w[4]};
      break;
    case OpDecorate:
      if (w.size() < 3) break;
      if (w[1] == kSpecId) spec_ids_[w[0]] = w[2];
      if (w[1] == kBuiltIn && w[2] == kWorkgroupSize) size_composite_ = w[0];
      break;
    case OpTypeBool: layouts_[w[0]] = {4, 4}; break;
    case OpTypeInt:
    case OpTypeFloat: layouts_[w[0]] = {w[1] / 8, w[1] / 8}; break;
    case OpTypeVector:
      if (const auto found = layouts_.find(w[1]); found != layouts_.end())
        layouts_[w[0]] = {found->second.bytes * w[2], found->second.bytes * (w[2] == 3 ? 4 : w[2])};
      break;
    case OpTypeArray: {
      const auto found = layouts_.find(w[1]);
      const Value count = value(w[2]);
      if (found == layouts_.end() || !count) break;
      const Layout element = found->second;
      layouts_[w[0]] = {round_up(element.bytes, element.alignment) * *count, element.alignment};
      break;
    }
    case OpTypeStruct: add_struct(w[0], w.subspan(1)); break;
    case OpTypePointer: pointee_[w[0]] = w[2]; break;
    case OpVariable:
      if (w[2] == kShared) shared_.push_back(w[0]);
      break;
    case OpConstantTrue:
    case OpConstantFalse: values_[w[1]] = opcode == OpConstantTrue; break;
    case OpConstant: values_[w[1]] = w[2]; break;
    case OpSpecConstantTrue:
    case OpSpecConstantFalse: values_[w[1]] = given(w[1], opcode == OpSpecConstantTrue); break;
    case OpSpecConstant: values_[w[1]] = given(w[1], w[2]); break;
    case OpConstantComposite:
    case OpSpecConstantComposite: composites_[w[1]] = {w.begin() + 2, w.end()}; break;
    case OpSpecConstantOp:
      if (const Value result = operation(w[2], w.subspan(3))) values_[w[1]] = *result;
      break;
    default: break;
    }
  }

  static uint64_t round_up(uint64_t n, uint64_t to) { return to ? (n + to - 1) / to * to : n; }

  void add_struct(uint32_t id, Words members) {
    Layout all;
    for (const uint32_t member : members) {
      const auto found = layouts_.find(member);
      if (found == layouts_.end()) return;
      all.bytes = round_up(all.bytes, found->second.alignment) + found->second.bytes;
      all.alignment = std::max(all.alignment, found->second.alignment);
    }
    layouts_[id] = {round_up(all.bytes, all.alignment), all.alignment};
  }

  uint32_t given(uint32_t id, uint32_t otherwise) const {
    const auto spec_id = spec_ids_.find(id);
    if (spec_id == spec_ids_.end()) return otherwise;
    const auto found = given_.find(spec_id->second);
    return found == given_.end() ? otherwise : found->second;
  }

  Value value(uint32_t id) const {
    const auto found = values_.find(id);
    return found == values_.end() ? Value() : Value(found->second);
  }

  Value operation(uint32_t opcode, Words w) const {
    if (opcode == OpCompositeExtract) {
      const auto composite = composites_.find(w[0]);
      const bool there = w.size() == 2 && composite != composites_.end() && w[1] < composite->second.size();
      return there ? value(composite->second[w[1]]) : Value();
    }
    const Value a = value(w[0]), b = w.size() > 1 ? value(w[1]) : Value(0u);
    if (!a) return {};
    if (opcode == OpLogicalNot) return *a == 0;
    if (opcode == OpSelect) return w.size() == 3 ? value(*a ? w[1] : w[2]) : Value();
    return b ? compute(opcode, *a, *b) : Value();
  }

  std::optional<std::array<uint32_t, 3>> workgroup() const {
    std::array<uint32_t, 3> ids = size_ids_;
    if (const auto composite = composites_.find(size_composite_);
        composite != composites_.end() && composite->second.size() == 3)
      std::copy_n(composite->second.begin(), 3, ids.begin());
    else if (ids[0] == 0)
      return fixed_size_;
    std::array<uint32_t, 3> out{};
    for (size_t i = 0; i < 3; ++i) {
      const Value size = value(ids[i]);
      if (!size) return {};
      out[i] = *size;
    }
    return out;
  }

  std::optional<uint64_t> shared_bytes() const {
    uint64_t end = 0;
    for (const uint32_t pointer : shared_) {
      const auto type = pointee_.find(pointer);
      const auto layout = type == pointee_.end() ? layouts_.end() : layouts_.find(type->second);
      if (layout == layouts_.end()) return {};
      end = round_up(end, layout->second.alignment) + layout->second.bytes;
    }
    return end;
  }

  const SpecValues &given_;
  SpirvNeeds needs_;
  std::optional<std::array<uint32_t, 3>> fixed_size_;
  std::array<uint32_t, 3> size_ids_{};
  uint32_t size_composite_ = 0;
  std::map<uint32_t, uint32_t> spec_ids_, values_, pointee_; // by id
  std::map<uint32_t, Layout> layouts_;
  std::map<uint32_t, std::vector<uint32_t>> composites_;
  std::vector<uint32_t> shared_; // pointer types of the variables
};

} // namespace

SpirvNeeds spirv_needs(Words words, const SpecValues &values) { return Reader(values).read(words); }

} // namespace fovea::layer
