// Duty: pipeline-cache data is damaged on its way out of the driver and into it.
#include "layer/cache_data.h"

#include "layer/core.h"

#include <charconv>
#include <cstddef>
#include <cstring>
#include <vector>

namespace fovea::layer {
namespace {

struct Damage {
  std::mutex mutex;
  CacheDamage out = CacheDamage::None, in = CacheDamage::None;
  uint64_t where = 0;

  Damage() {
    const std::string_view text = environment("FOVEA_LAYER_CACHE");
    const size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    if (kind.empty()) return;
    if (colon != text.npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), where);
    if (kind == "flip")
      out = in = CacheDamage::Flip;
    else if (kind == "truncate")
      out = in = CacheDamage::Truncate;
    else
      report(concat("FOVEA_LAYER_CACHE: not understood: ", text));
  }
};

Damage &damage() {
  static Damage &all = *new Damage; // outlives the application's own statics
  return all;
}

VkResult get_data(VkDevice device, VkPipelineCache cache, size_t *size, void *data) {
  const size_t given = *size;
  const VkResult result = device_of(device).below[kCacheData].GetPipelineCacheData(device, cache, size, data);
  const std::lock_guard lock(damage().mutex);
  if (result != VK_SUCCESS || !data || *size == 0) return result;
  auto *bytes = static_cast<std::byte *>(data);
  switch (damage().out) {
  case CacheDamage::Flip: bytes[damage().where / 8 % *size] ^= std::byte(1 << damage().where % 8); break;
  case CacheDamage::Truncate: *size = std::min<size_t>(*size, damage().where); break;
  case CacheDamage::Grow: *size = given; return VK_INCOMPLETE;
  case CacheDamage::None: break;
  }
  return result;
}

VkResult create(VkDevice device, const VkPipelineCacheCreateInfo *info,
                const VkAllocationCallbacks *allocator, VkPipelineCache *out) {
  VkPipelineCacheCreateInfo changed = *info;
  std::vector<std::byte> data(info->initialDataSize);
  if (!data.empty()) {
    std::memcpy(data.data(), info->pInitialData, data.size());
    const std::lock_guard lock(damage().mutex);
    if (damage().in == CacheDamage::Flip)
      data[damage().where / 8 % data.size()] ^= std::byte(1 << damage().where % 8);
    if (damage().in == CacheDamage::Truncate) data.resize(std::min<size_t>(data.size(), damage().where));
    changed.initialDataSize = data.size();
    changed.pInitialData = data.data();
  }
  return device_of(device).below[kCacheData].CreatePipelineCache(device, &changed, allocator, out);
}

} // namespace

void attach_cache_data(DeviceFunctions &table) {
  table.GetPipelineCacheData = get_data;
  table.CreatePipelineCache = create;
}

void damage_cache(CacheDamage out, CacheDamage in, uint64_t where) {
  const std::lock_guard lock(damage().mutex);
  damage().out = out;
  damage().in = in;
  damage().where = where;
}

void reset_cache_data() { damage_cache(CacheDamage::None, CacheDamage::None, 0); }

} // namespace fovea::layer
