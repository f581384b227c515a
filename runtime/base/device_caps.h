// DeviceCaps: every limit and feature that planning and kernel selection may use, as plain data.
//
// Filled by vk/ from a real device, or forged by a test; the defaults are the floor of Android phones
// (Vulkan 1.1, VP_ANDROID_baseline_2022), so a default-constructed DeviceCaps is the least device Fovea runs
// on.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

namespace fovea {

enum class DeviceType : uint8_t { Discrete, Integrated, Virtual, Software, Other };
const char *to_string(DeviceType type);

inline constexpr uint32_t kSwiftShaderDriverId = 10; // VK_DRIVER_ID_GOOGLE_SWIFTSHADER
inline constexpr uint32_t kLlvmpipeDriverId = 13;    // VK_DRIVER_ID_MESA_LLVMPIPE

struct TuningTable;   // kernels/tuning.h
struct DeviceProfile; // base/device_profile.h

struct DeviceCaps {
  // Identity.
  std::string name = "baseline";
  std::string driver_name, driver_info; // "llvmpipe", "Mesa 22.3.6 (LLVM 15.0.6)"
  DeviceType type = DeviceType::Other;
  uint32_t vendor_id = 0, device_id = 0;
  uint32_t driver_version = 0; // the driver's own encoding
  uint32_t api_version = (1u << 22) | (1u << 12);
  uint32_t driver_id = 0; // VkDriverId; 0 when unknown
  std::array<uint8_t, 16> pipeline_cache_uuid{};
  /// What these are clamped to (base/device_profile.h); null: nothing.
  std::shared_ptr<const DeviceProfile> profile;
  std::string quirks; // what is off here because it is known to be bad (kernels/quirks.h), one a line

  // Limits.
  uint64_t max_storage_buffer_range = 128ull << 20; // bytes of one binding
  uint64_t storage_offset_alignment = 256;          // minStorageBufferOffsetAlignment, bytes
  uint64_t uniform_offset_alignment = 256;
  uint64_t texel_offset_alignment = 256;
  uint64_t non_coherent_atom_size = 256;
  uint64_t max_allocation_bytes = 1ull << 30; // maxMemoryAllocationSize
  uint64_t device_memory_bytes = 0;           // largest device-local heap; 0 = unknown
  uint32_t max_storage_buffers = 4;           // per stage
  uint32_t max_push_constant_bytes = 128;
  uint32_t max_workgroup_invocations = 128;
  std::array<uint32_t, 3> max_workgroup_size = {128, 128, 64};
  std::array<uint32_t, 3> max_workgroup_count = {65535, 65535, 65535};
  uint32_t max_shared_memory_bytes = 16384;
  uint32_t max_texel_buffer_elements = 65536;
  double timestamp_period_ns = 0; // 0: no timestamps on the compute queue

  // Subgroups (compute stage). 0: no subgroup operations may be used.
  uint32_t subgroup_size = 0;
  bool subgroup_arithmetic = false, subgroup_shuffle = false, subgroup_ballot = false;
  uint32_t min_subgroup_size = 0, max_subgroup_size = 0; // equal when fixed
  bool subgroup_size_control = false;                    // a pipeline may require one of these sizes

  // What is assumed of its speed until it has been measured (graph/pieces.h).
  uint64_t flops_per_s = 5'000'000'000, bytes_per_s = 2'000'000'000;
  /// Whether a grid may be launched in parts (vkCmdDispatchBase): every Vulkan 1.1 has it.
  bool dispatch_base = true;
  uint32_t least_pieces = 1; // more when launching in parts is itself what is checked

  // Features.
  bool shader_f16 = false, shader_int8 = false, storage_16bit = false, integer_dot_product = false;
  bool unified_memory = false;      // one heap for host and device: mapped weights need no copy
  bool host_pointer_import = false; // VK_EXT_external_memory_host
  uint64_t host_pointer_alignment = 4096;

  /// Kernels (KernelId as integer) that failed to build or failed their check here; selection routes around
  /// them.
  std::set<uint32_t> disabled_kernels;
  /// What `fovea tune` measured on this device, if it was there.
  std::shared_ptr<const TuningTable> tuning;

  /// Whether a product may normalize its own x (graph/lowering.h). Not while kernels are measured one by one.
  bool fuse_norms = true;

  /// Mesa's software driver takes a texel buffer's element in a quarter of the time of a storage buffer's.
  bool fast_texels() const { return driver_id == kLlvmpipeDriverId && !profile; }

  /// What selection prefers on devices that run one invocation after another. Who pretends prefers what the
  /// other device would.
  bool prefers_serial() const { return type == DeviceType::Software && !profile; }

  /// SwiftShader compiles specialization constants as if they were not known.
  bool folds_constants() const { return driver_id != kSwiftShaderDriverId; }

  /// True when every invocation of a workgroup whose size is a multiple of subgroup_size sits in a full
  /// subgroup of exactly subgroup_size lanes.
  bool fixed_subgroups() const { return subgroup_size >= 4 && min_subgroup_size == max_subgroup_size; }
};

} // namespace fovea
