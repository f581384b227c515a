// Duty: a driver that compiles a kernel wrongly. A word of one module is another one by the time the driver
// gets it.
#include "layer/modules.h"

#include "base/hash.h"
#include "layer/core.h"

#include <charconv>
#include <vector>

namespace fovea::layer {
namespace {

struct Mistake {
  std::mutex mutex;
  uint64_t hash = 0; // of the module's words; 0: none
  uint32_t word = 0, change = 0;

  Mistake() {
    const std::string_view text = environment("FOVEA_LAYER_MISCOMPILE");
    if (text.empty()) return;
    const char *at = text.data(), *const end = text.data() + text.size();
    bool good = true;
    const auto read = [&](auto &value, int base) {
      const auto [rest, error] = std::from_chars(at, end, value, base);
      good = good && error == std::errc() && (rest == end || *rest == ':');
      at = rest == end ? end : rest + 1;
    };
    read(hash, 16);
    read(word, 10);
    read(change, 16);
    if (!good) report(concat("FOVEA_LAYER_MISCOMPILE: not understood: ", text));
  }
};

Mistake &mistake() {
  static Mistake all;
  return all;
}

VkResult create(VkDevice device, const VkShaderModuleCreateInfo *info, const VkAllocationCallbacks *allocator,
                VkShaderModule *out) {
  VkShaderModuleCreateInfo changed = *info;
  std::vector<uint32_t> words(info->pCode, info->pCode + info->codeSize / 4);
  {
    const std::lock_guard lock(mistake().mutex);
    if (mistake().hash != 0 && mistake().word < words.size() &&
        hash_bytes(std::as_bytes(std::span(words))) == mistake().hash)
      words[mistake().word] ^= mistake().change;
  }
  changed.pCode = words.data();
  return device_of(device).below[kModules].CreateShaderModule(device, &changed, allocator, out);
}

} // namespace

void attach_modules(DeviceFunctions &table) { table.CreateShaderModule = create; }

void miscompile(uint64_t module_hash, uint32_t word, uint32_t change) {
  const std::lock_guard lock(mistake().mutex);
  mistake().hash = module_hash;
  mistake().word = word;
  mistake().change = change;
}

void reset_modules() { miscompile(0, 0, 0); }

} // namespace fovea::layer
