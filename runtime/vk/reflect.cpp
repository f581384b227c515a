#include "vk/reflect.h"

#include "vk/spirv_ops.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace fovea::vk {

using namespace spirv;

namespace {

enum Decoration : uint32_t {
  SpecId = 1,
  BufferBlock = 3,
  ArrayStride = 6,
  BuiltIn = 11,
  NonWritable = 24,
  NonReadable = 25,
  BindingSlot = 33,
  DescriptorSet = 34,
  MemberOffset = 35,
};
enum StorageClass : uint32_t { UniformConstant = 0, Uniform = 2, PushConstant = 9, StorageBuffer = 12 };
constexpr uint32_t kGlCompute = 5, kLocalSize = 17, kWorkgroupSize = 25, kDimBuffer = 5;

using Words = std::span<const uint32_t>;

class Reflector {
public:
  Reflector(Words words, std::string_view name) : name_(name) {
    if (words.size() < kHeaderWords || words[0] != kMagic) bad("not a SPIR-V module");
    for (size_t at = kHeaderWords; at < words.size();) {
      const uint32_t length = words[at] >> 16;
      if (length == 0 || length > words.size() - at) bad("the module is truncated");
      visit(words[at] & 0xFFFFu, words.subspan(at + 1, length - 1));
      at += length;
    }
    if (!has_entry_point_) bad("no compute entry point");
    for (const auto &[id, variable] : variables_) add_variable(id, variable);
    for (const auto &[id, spec_id] : spec_ids_) out_.spec_ids.push_back(spec_id);
    std::sort(out_.spec_ids.begin(), out_.spec_ids.end());
    std::sort(out_.bindings.begin(), out_.bindings.end(),
              [](const auto &a, const auto &b) { return a.slot < b.slot; });
    merge_aliases();
    resolve_local_size();
  }
  KernelInterface take() { return std::move(out_); }

private:
  // Two views of one binding (words and four-word vectors) are one binding that does what either does.
  void merge_aliases() {
    std::vector<KernelBinding> merged;
    for (const KernelBinding &b : out_.bindings) {
      if (merged.empty() || merged.back().slot != b.slot) {
        merged.push_back(b);
        continue;
      }
      if (merged.back().type != b.type || merged.back().texel != b.texel)
        bad("two kinds of variable at one binding");
      merged.back().reads |= b.reads;
      merged.back().writes |= b.writes;
    }
    out_.bindings = std::move(merged);
  }

  struct Type {
    uint32_t op;
    std::vector<uint32_t> operands; // without the result id
  };
  struct Variable {
    uint32_t pointer_type, storage_class;
  };

  [[noreturn]] void bad(std::string_view what) const { fail(ErrorCode::InvalidArgument, name_, ": ", what); }

  static void need(const Reflector &self, Words operands, size_t n) {
    if (operands.size() < n) self.bad("an instruction is truncated");
  }

  void visit(uint32_t op, Words w) {
    switch (op) {
    case OpCapability:
      need(*this, w, 1);
      out_.capabilities.push_back(w[0]);
      break;
    case OpEntryPoint:
      need(*this, w, 2);
      has_entry_point_ |= w[0] == kGlCompute;
      break;
    case OpExecutionMode:
      need(*this, w, 2);
      if (w[1] == kLocalSize) {
        need(*this, w, 5);
        std::copy_n(w.begin() + 2, 3, out_.local_size.begin());
      }
      break;
    case OpTypeInt:
    case OpTypeFloat:
    case OpTypeVector:
    case OpTypeImage:
    case OpTypeSampledImage:
    case OpTypeArray:
    case OpTypeStruct:
    case OpTypePointer:
      need(*this, w, 1);
      types_[w[0]] = {op, {w.begin() + 1, w.end()}};
      break;
    case OpConstant:
    case OpSpecConstant:
      need(*this, w, 3);
      constants_[w[1]] = w[2];
      break;
    case OpSpecConstantTrue:
    case OpSpecConstantFalse:
      need(*this, w, 2);
      constants_[w[1]] = op == OpSpecConstantTrue;
      break;
    case OpSpecConstantComposite:
      need(*this, w, 2);
      composites_[w[1]] = {w.begin() + 2, w.end()};
      break;
    case OpVariable:
      need(*this, w, 3);
      variables_[w[1]] = {w[0], w[2]};
      break;
    case OpDecorate:
      need(*this, w, 2);
      decorate(w);
      break;
    case OpMemberDecorate:
      need(*this, w, 3);
      decorate_member(w);
      break;
    case OpLoad:
    case OpAccessChain:
    case OpInBoundsAccessChain:
    case OpArrayLength:
      need(*this, w, 3);
      used_.insert(w[2]);
      break;
    case OpStore:
      need(*this, w, 1);
      used_.insert(w[0]);
      break;
    case OpFunctionCall: used_.insert(w.begin(), w.end()); break;
    default: break;
    }
  }

  void decorate(Words w) {
    const uint32_t value = w.size() > 2 ? w[2] : 1;
    if (w[1] == SpecId) spec_ids_[w[0]] = value;
    if (w[1] == BuiltIn && value == kWorkgroupSize) workgroup_size_id_ = w[0];
    decorations_[{w[0], w[1]}] = value;
  }
  void decorate_member(Words w) { member_decorations_[{w[0], w[1], w[2]}] = w.size() > 3 ? w[3] : 1; }

  const Type &type(uint32_t id) const {
    const auto found = types_.find(id);
    if (found == types_.end()) bad("a type that Fovea's kernels do not use");
    return found->second;
  }
  uint32_t operand(const Type &t, size_t i) const {
    if (i >= t.operands.size()) bad("a type is truncated");
    return t.operands[i];
  }

  uint32_t size_bytes(uint32_t id, int depth = 0) const {
    const Type &t = type(id);
    if (depth > 4) bad("types nested too deeply");
    switch (t.op) {
    case OpTypeInt:
    case OpTypeFloat: return operand(t, 0) / 8;
    case OpTypeVector: return operand(t, 1) * size_bytes(operand(t, 0), depth + 1);
    case OpTypeArray: {
      const auto stride = decorations_.find({id, ArrayStride});
      const auto length = constants_.find(operand(t, 1));
      if (stride == decorations_.end() || length == constants_.end())
        bad("an array without a stride or length");
      return stride->second * length->second;
    }
    case OpTypeStruct: {
      uint32_t end = 0;
      for (uint32_t m = 0; m < t.operands.size(); ++m) {
        const auto offset = member_decorations_.find({id, m, MemberOffset});
        if (offset == member_decorations_.end()) bad("a block member without an offset");
        end = std::max(end, offset->second + size_bytes(t.operands[m], depth + 1));
      }
      return end;
    }
    default: bad("a push constant that is neither number, vector, array nor struct");
    }
  }

  /// True when the variable, or every member of its block, carries the decoration.
  bool block_has(uint32_t variable, uint32_t block, uint32_t decoration) const {
    if (decorations_.contains({variable, decoration})) return true;
    const Type &t = type(block);
    for (uint32_t m = 0; m < t.operands.size(); ++m)
      if (!member_decorations_.contains({block, m, decoration})) return false;
    return !t.operands.empty();
  }

  void add_variable(uint32_t id, const Variable &variable) {
    if (variable.storage_class != UniformConstant && variable.storage_class != Uniform &&
        variable.storage_class != PushConstant && variable.storage_class != StorageBuffer)
      return;
    const uint32_t pointee = operand(type(variable.pointer_type), 1);
    if (variable.storage_class == PushConstant) {
      out_.push_constant_bytes = size_bytes(pointee);
      return;
    }
    if (!used_.contains(id)) return; // declared by an include, not used by this variant
    const auto slot = decorations_.find({id, BindingSlot});
    const auto set = decorations_.find({id, DescriptorSet});
    if (slot == decorations_.end() || set == decorations_.end() || set->second != 0)
      bad("a resource outside descriptor set 0");
    KernelBinding binding;
    binding.slot = slot->second;
    if (variable.storage_class == UniformConstant) {
      read_texel_buffer(pointee, binding);
    } else if (type(pointee).op != OpTypeStruct) {
      bad("an array of descriptors");
    } else if (variable.storage_class == StorageBuffer || decorations_.contains({pointee, BufferBlock})) {
      binding.reads = !block_has(id, pointee, NonReadable);
      binding.writes = !block_has(id, pointee, NonWritable);
    } else {
      binding.type = BindingType::UniformBuffer;
      binding.writes = false;
    }
    out_.bindings.push_back(binding);
  }

  void read_texel_buffer(uint32_t pointee, KernelBinding &binding) const {
    const Type &outer = type(pointee);
    const Type &image = outer.op == OpTypeSampledImage ? type(operand(outer, 0)) : outer;
    if (image.op != OpTypeImage || operand(image, 1) != kDimBuffer || operand(image, 5) != 1)
      bad("an image or sampler that is not a uniform texel buffer");
    const Type &element = type(operand(image, 0));
    binding.type = BindingType::TexelBuffer;
    binding.writes = false;
    if (element.op == OpTypeInt)
      binding.texel = operand(element, 1)              ? TexelType::Int
                      : binding.slot == kPairTexelSlot ? TexelType::Pair
                                                       : TexelType::Uint;
    else if (binding.slot == kHalfTexelSlot)
      binding.texel = TexelType::Half;
  }

  void resolve_local_size() {
    const auto parts = composites_.find(workgroup_size_id_);
    if (parts == composites_.end()) return;
    for (size_t i = 0; i < 3 && i < parts->second.size(); ++i) {
      const uint32_t part = parts->second[i];
      if (const auto value = constants_.find(part); value != constants_.end())
        out_.local_size[i] = value->second;
      if (const auto spec = spec_ids_.find(part); spec != spec_ids_.end())
        out_.local_size_spec[i] = int32_t(spec->second);
    }
  }

  std::string_view name_;
  KernelInterface out_;
  bool has_entry_point_ = false;
  uint32_t workgroup_size_id_ = 0;
  std::map<uint32_t, Type> types_;
  std::map<uint32_t, uint32_t> constants_;
  std::map<uint32_t, uint32_t> spec_ids_; // by result id
  std::map<uint32_t, std::vector<uint32_t>> composites_;
  std::map<uint32_t, Variable> variables_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> decorations_;
  std::map<std::array<uint32_t, 3>, uint32_t> member_decorations_;
  std::set<uint32_t> used_;
};

} // namespace

const char *to_string(BindingType type) {
  switch (type) {
  case BindingType::StorageBuffer: return "storage buffer";
  case BindingType::UniformBuffer: return "uniform buffer";
  case BindingType::TexelBuffer: return "texel buffer";
  }
  return "?";
}

bool KernelInterface::has_capability(uint32_t capability) const {
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}

const KernelBinding *KernelInterface::find(uint32_t slot) const {
  for (const KernelBinding &binding : bindings)
    if (binding.slot == slot) return &binding;
  return nullptr;
}

KernelInterface reflect(std::span<const uint32_t> words, std::string_view name) {
  return Reflector(words, name).take();
}

} // namespace fovea::vk
