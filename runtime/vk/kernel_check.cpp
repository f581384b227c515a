// What a kernel may ask of a device, and a dispatch of a kernel.
#include "vk/kernel.h"

#include <algorithm>

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

} // namespace

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
    constexpr uint64_t kUniformRange = 16384;
    const uint64_t bytes_of_texel = texel_bytes(declared->texel);
    const uint64_t limit = declared->type == BindingType::StorageBuffer ? caps.max_storage_buffer_range
                           : declared->type == BindingType::UniformBuffer
                               ? kUniformRange
                               : caps.max_texel_buffer_elements * bytes_of_texel;
    if (binding.size_bytes > limit)
      wrong("slot ", slot, ": ", binding.size_bytes, " bytes in one ", declared->type, "; the limit is ",
            limit);
    if (declared->type == BindingType::TexelBuffer && binding.size_bytes % bytes_of_texel)
      wrong("slot ", slot, ": ", binding.size_bytes, " bytes are no whole number of ", bytes_of_texel,
            "-byte texels");
    if (declared->writes && buffer.kind() == MemoryKind::Imported)
      wrong("slot ", slot, " writes to imported pages");
  }
}

} // namespace fovea::vk
