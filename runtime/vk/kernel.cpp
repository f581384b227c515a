#include "vk/kernel.h"

#include <algorithm>
#include <numeric>

namespace fovea::vk {
namespace {

// SPIR-V capabilities that a feature of the device must back.
enum Capability : uint32_t {
  kFloat16 = 9,
  kFloat64 = 10,
  kInt64 = 11,
  kInt16 = 22,
  kInt8 = 39,
  kGroupNonUniform = 61,
  kGroupNonUniformVote = 62,
  kGroupNonUniformArithmetic = 63,
  kGroupNonUniformBallot = 64,
  kGroupNonUniformShuffle = 65,
  kStorageBuffer16BitAccess = 4433,
  kStorageUniform16 = 4434,
  kDotProductInputAll = 6016,
  kDotProductInput4x8Bit = 6017,
  kDotProductInput4x8BitPacked = 6018,
  kDotProduct = 6019,
};

struct Need {
  uint32_t capability;
  bool available;
  const char *name;
};

VkDescriptorType descriptor_type(BindingType type) {
  switch (type) {
  case BindingType::StorageBuffer: return VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  case BindingType::UniformBuffer: return VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
  case BindingType::TexelBuffer: return VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
  }
  return VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

} // namespace

std::string to_string(const KernelVariant &variant) {
  std::string out = concat(to_string(variant.id), "(");
  for (size_t i = 0; i < variant.spec.size(); ++i) out += concat(i ? ", " : "", variant.spec[i]);
  return out + (variant.subgroup_size ? concat(") in subgroups of ", variant.subgroup_size) : ")");
}

Kernel::Kernel(std::shared_ptr<Context> context, KernelVariant variant, VkPipelineCache cache,
               std::span<const uint32_t> words)
    : context_(std::move(context)), variant_(std::move(variant)) {
  if (words.empty()) words = spirv(variant_.id);
  interface_ = reflect(words, to_string(variant_.id));
  context_->require_alive();
  check_device_supports();
  try {
    create(cache, words);
  } catch (...) {
    destroy();
    throw;
  }
}

Kernel::~Kernel() { destroy(); }

void Kernel::check_device_supports() const {
  const DeviceCaps &caps = context_->caps;
  const bool subgroups = caps.subgroup_size != 0;
  const Need needs[] = {
      {kFloat16, caps.shader_f16, "16-bit float arithmetic"},
      {kInt8, caps.shader_int8, "8-bit integers"},
      {kInt16, false, "16-bit integers"},
      {kInt64, false, "64-bit integers"},
      {kFloat64, false, "64-bit floats"},
      {kStorageBuffer16BitAccess, caps.storage_16bit, "16-bit storage"},
      {kStorageUniform16, caps.storage_16bit, "16-bit storage"},
      {kGroupNonUniform, subgroups, "subgroups"},
      {kGroupNonUniformVote, subgroups, "subgroup votes"},
      {kGroupNonUniformArithmetic, caps.subgroup_arithmetic, "subgroup arithmetic"},
      {kGroupNonUniformBallot, caps.subgroup_ballot, "subgroup ballots"},
      {kGroupNonUniformShuffle, caps.subgroup_shuffle, "subgroup shuffles"},
      {kDotProduct, caps.integer_dot_product, "integer dot products"},
      {kDotProductInputAll, caps.integer_dot_product, "integer dot products"},
      {kDotProductInput4x8Bit, caps.integer_dot_product, "integer dot products"},
      {kDotProductInput4x8BitPacked, caps.integer_dot_product, "integer dot products"},
  };
  const auto refuse = [&](const auto &...why) {
    fail(ErrorCode::Unsupported, "kernel ", to_string(variant_), " on ", context_->name(), ": ", why...);
  };
  for (const Need &need : needs)
    if (interface_.has_capability(need.capability) && !need.available) refuse("needs ", need.name);

  for (uint32_t id : interface_.spec_ids)
    if (id >= variant_.spec.size())
      fail(ErrorCode::Internal, "kernel ", to_string(variant_), ": no value for its specialization constant ",
           id);
  uint64_t invocations = 1;
  for (size_t i = 0; i < 3; ++i) {
    const int32_t spec = interface_.local_size_spec[i];
    const uint32_t size = spec < 0 ? interface_.local_size[i] : variant_.spec[size_t(spec)];
    if (size == 0 || size > caps.max_workgroup_size[i])
      refuse("a workgroup ", size, " wide along ", "xyz"[i], "; the limit is ", caps.max_workgroup_size[i]);
    invocations *= size;
  }
  if (invocations > caps.max_workgroup_invocations)
    refuse("a workgroup of ", invocations, "; the limit is ", caps.max_workgroup_invocations);
  if (interface_.push_constant_bytes > caps.max_push_constant_bytes)
    refuse(interface_.push_constant_bytes, " bytes of push constants; the limit is ",
           caps.max_push_constant_bytes);
  const auto n_storage = std::count_if(interface_.bindings.begin(), interface_.bindings.end(),
                                       [](const auto &b) { return b.type == BindingType::StorageBuffer; });
  if (uint64_t(n_storage) > caps.max_storage_buffers)
    refuse(n_storage, " storage buffers; the limit is ", caps.max_storage_buffers);

  const uint32_t lanes = variant_.subgroup_size;
  if (lanes && !caps.subgroup_size_control && !(caps.fixed_subgroups() && caps.subgroup_size == lanes))
    refuse("needs subgroups of ", lanes, "; the device decides for itself");
  if (lanes && caps.subgroup_size_control &&
      (lanes < caps.min_subgroup_size || lanes > caps.max_subgroup_size))
    refuse("needs subgroups of ", lanes, "; the device has ", caps.min_subgroup_size, " to ",
           caps.max_subgroup_size);
}

void Kernel::create(VkPipelineCache cache, std::span<const uint32_t> words) {
  Context &c = *context_;
  const std::string what = concat("kernel ", to_string(variant_));

  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (const KernelBinding &binding : interface_.bindings)
    bindings.push_back(
        {binding.slot, descriptor_type(binding.type), 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
  auto set_info =
      structure<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set_info.bindingCount = uint32_t(bindings.size());
  set_info.pBindings = bindings.data();
  c.check(c.fn.CreateDescriptorSetLayout(c.device, &set_info, nullptr, &set_layout_), set_layout_, what);

  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, interface_.push_constant_bytes};
  auto layout_info = structure<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  layout_info.setLayoutCount = 1;
  layout_info.pSetLayouts = &set_layout_;
  layout_info.pushConstantRangeCount = push.size ? 1 : 0;
  layout_info.pPushConstantRanges = &push;
  c.check(c.fn.CreatePipelineLayout(c.device, &layout_info, nullptr, &layout_), layout_, what);

  auto module_info = structure<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  module_info.codeSize = words.size_bytes();
  module_info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  c.check(c.fn.CreateShaderModule(c.device, &module_info, nullptr, &module), module, what);

  std::vector<VkSpecializationMapEntry> entries;
  for (uint32_t id : interface_.spec_ids)
    entries.push_back({id, uint32_t(id * sizeof(uint32_t)), sizeof(uint32_t)});
  VkSpecializationInfo specialization{};
  specialization.mapEntryCount = uint32_t(entries.size());
  specialization.pMapEntries = entries.data();
  specialization.dataSize = variant_.spec.size() * sizeof(uint32_t);
  specialization.pData = variant_.spec.data();

  auto lanes = structure<VkPipelineShaderStageRequiredSubgroupSizeCreateInfo>(
      VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO);
  lanes.requiredSubgroupSize = variant_.subgroup_size;
  auto info = structure<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &specialization;
  info.layout = layout_;
  if (variant_.subgroup_size && c.caps.subgroup_size_control) {
    info.stage.pNext = &lanes;
    const bool whole = !variant_.spec.empty() && variant_.spec[0] % variant_.subgroup_size == 0;
    if (whole && c.physical.has_full_subgroups)
      info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  }
  const VkResult result = c.fn.CreateComputePipelines(c.device, cache, 1, &info, nullptr, &pipeline_);
  c.fn.DestroyShaderModule(c.device, module, nullptr);
  if (result == VK_ERROR_DEVICE_LOST || result == VK_ERROR_OUT_OF_HOST_MEMORY ||
      result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
    c.check(result, what);
  if (result != VK_SUCCESS || !pipeline_) // some drivers report success and give no pipeline
    fail(ErrorCode::Unsupported, what, " on ", c.name(), ": the driver makes no pipeline of it (", result,
         ")");
}

void Kernel::destroy() noexcept {
  const Context &c = *context_;
  if (!c.may_destroy()) return;
  c.fn.DestroyPipeline(c.device, pipeline_, nullptr);
  c.fn.DestroyPipelineLayout(c.device, layout_, nullptr);
  c.fn.DestroyDescriptorSetLayout(c.device, set_layout_, nullptr);
}

void Kernel::check(std::span<const Binding> bindings, size_t push_bytes) const {
  const DeviceCaps &caps = context_->caps;
  const auto wrong = [&](const auto &...why) {
    fail(ErrorCode::Internal, "dispatch of ", to_string(variant_), ": ", why...);
  };
  if (push_bytes != interface_.push_constant_bytes)
    wrong(push_bytes, " bytes of push constants, and the shader declares ", interface_.push_constant_bytes);
  if (bindings.size() != interface_.bindings.size())
    wrong(bindings.size(), " bindings, and the shader uses ", interface_.bindings.size());
  uint64_t seen = 0;
  for (const Binding &binding : bindings) {
    const uint32_t slot = binding.slot;
    const KernelBinding *declared = interface_.find(slot);
    if (!declared) wrong("the shader uses no slot ", slot);
    if (slot >= 64 || (seen >> slot) & 1) wrong("slot ", slot, " is bound twice");
    seen |= uint64_t(1) << slot;
    if (!binding.buffer || !*binding.buffer) wrong("no buffer at slot ", slot);
    const Buffer &buffer = *binding.buffer;
    if (binding.size_bytes == 0 || binding.offset > buffer.size_bytes() ||
        binding.size_bytes > buffer.size_bytes() - binding.offset)
      wrong("slot ", slot, ": bytes ", binding.offset, " + ", binding.size_bytes, " of a buffer of ",
            buffer.size_bytes());
    const uint64_t alignment = declared->type == BindingType::StorageBuffer   ? caps.storage_offset_alignment
                               : declared->type == BindingType::UniformBuffer ? caps.uniform_offset_alignment
                                                                              : caps.texel_offset_alignment;
    if (binding.offset % alignment)
      wrong("slot ", slot, ": offset ", binding.offset, " is not a multiple of ", alignment);
    constexpr uint64_t kTexelBytes = 16, kUniformRange = 16384;
    const uint64_t limit = declared->type == BindingType::StorageBuffer ? caps.max_storage_buffer_range
                           : declared->type == BindingType::UniformBuffer
                               ? kUniformRange
                               : caps.max_texel_buffer_elements * kTexelBytes;
    if (binding.size_bytes > limit)
      wrong("slot ", slot, ": ", binding.size_bytes, " bytes in one ", declared->type, "; the limit is ",
            limit);
    if (declared->type == BindingType::TexelBuffer && binding.size_bytes % kTexelBytes)
      wrong("slot ", slot, ": ", binding.size_bytes, " bytes are no whole number of 16-byte texels");
    if (declared->writes && buffer.kind() == MemoryKind::Imported)
      wrong("slot ", slot, " writes to imported pages");
  }
}

} // namespace fovea::vk
