#include "vk/kernel.h"

#include "kernels/catalogue.h"
#include "vk/specialize.h"

#include <algorithm>

namespace fovea::vk {
namespace {

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
  out += variant.subgroup_size ? concat(") in subgroups of ", variant.subgroup_size) : ")";
  return variant.in_pieces ? out + ", in pieces" : out;
}

Kernel::Kernel(std::shared_ptr<Context> context, KernelVariant variant, VkPipelineCache cache,
               std::span<const uint32_t> words)
    : context_(std::move(context)), variant_(std::move(variant)) {
  std::vector<uint32_t> own;
  if (words.empty()) words = own = spirv(variant_.id);
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

  const std::vector<uint32_t> specialized =
      c.caps.folds_constants() ? std::vector<uint32_t>() : specialize(words, variant_.spec);
  if (!specialized.empty()) words = specialized;
  auto module_info = structure<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  module_info.codeSize = words.size_bytes();
  module_info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  c.check(c.fn.CreateShaderModule(c.device, &module_info, nullptr, &module), module, what);

  std::vector<VkSpecializationMapEntry> entries;
  for (uint32_t id : specialized.empty() ? interface_.spec_ids : std::vector<uint32_t>())
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
  if (variant_.in_pieces) info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
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

} // namespace fovea::vk
