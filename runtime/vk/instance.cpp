#include "vk/instance.h"

#include "base/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace fovea::vk {
namespace {

constexpr const char *kValidationLayer = "VK_LAYER_KHRONOS_validation";
std::atomic<uint64_t> n_validation_errors{0};

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                          VkDebugUtilsMessageTypeFlagsEXT types,
                                          const VkDebugUtilsMessengerCallbackDataEXT *data, void *) {
  if (!(types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT)) return VK_FALSE; // the loader's own chatter
  const bool error = severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  if (error) n_validation_errors.fetch_add(1, std::memory_order_relaxed);
  try {
    log(error ? LogLevel::Error : LogLevel::Warning,
        "Vulkan validation: ", data->pMessage ? data->pMessage : "?");
  } catch (...) { // a log sink that throws must not unwind through the driver
  }
  return VK_FALSE;
}

template <class Item, class Enumerate> std::vector<Item> enumerate(Enumerate &&call) {
  for (;;) {
    uint32_t count = 0;
    if (call(&count, nullptr) != VK_SUCCESS || count == 0) return {};
    std::vector<Item> items(count);
    const VkResult result = call(&count, items.data());
    if (result == VK_INCOMPLETE) continue; // the list grew between the two calls
    if (result != VK_SUCCESS) return {};
    items.resize(count);
    return items;
  }
}

bool has_layer(const GlobalFunctions &fn, const char *name) {
  const auto layers = enumerate<VkLayerProperties>(
      [&](uint32_t *n, VkLayerProperties *out) { return fn.EnumerateInstanceLayerProperties(n, out); });
  return std::any_of(layers.begin(), layers.end(),
                     [&](const auto &l) { return !std::strcmp(l.layerName, name); });
}

} // namespace

Validation validation_from_environment() {
  const char *value = std::getenv("FOVEA_VALIDATION");
  const std::string_view text = value ? value : "";
  if (text.empty() || text == "0") return Validation::Off;
  if (text == "1") return Validation::On;
  if (text == "gpu") return Validation::Gpu;
  fail(ErrorCode::InvalidArgument, "FOVEA_VALIDATION is \"", text, "\"; expected 0, 1 or gpu");
}

uint64_t validation_error_count() { return n_validation_errors.load(std::memory_order_relaxed); }

Instance::Instance(Validation validation) : loader_(open_loader()), validation_(validation) {
  check_log_environment();
  auto application = structure<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pApplicationName = application.pEngineName = "fovea";
  application.apiVersion = VK_API_VERSION_1_1;
  auto info = structure<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;

  std::array<VkValidationFeatureEnableEXT, 3> enables = {
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
      VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
      VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT};
  auto features = structure<VkValidationFeaturesEXT>(VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT);
  features.enabledValidationFeatureCount = validation == Validation::Gpu ? 3 : 1;
  features.pEnabledValidationFeatures = enables.data();
  auto messenger =
      structure<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  messenger.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
  messenger.messageType =
      VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT;
  messenger.pfnUserCallback = on_message;
  const std::array<const char *, 2> extensions = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                                  VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
  if (validation != Validation::Off) {
    if (!has_layer(loader_.fn, kValidationLayer))
      fail(ErrorCode::Unsupported, "validation was asked for, but the layer ", kValidationLayer,
           " is not installed (Debian and Ubuntu: apt install vulkan-validationlayers); or unset "
           "FOVEA_VALIDATION");
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kValidationLayer;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    features.pNext = &messenger; // reports on vkCreateInstance itself too
    info.pNext = &features;
  }

  const VkResult created = loader_.fn.CreateInstance(&info, nullptr, &handle_);
  if (created == VK_ERROR_INCOMPATIBLE_DRIVER)
    fail(ErrorCode::NoDevice,
         "no Vulkan driver is installed (Debian and Ubuntu: apt install mesa-vulkan-drivers, or the "
         "graphics card's own driver; VK_DRIVER_FILES and VK_ICD_FILENAMES override the search)");
  if (created != VK_SUCCESS || !handle_) fail(ErrorCode::NoDevice, "vkCreateInstance: ", created);
  try {
    fn_ = load_instance_functions(loader_, handle_);
    if (validation != Validation::Off && fn_.CreateDebugUtilsMessengerEXT)
      fn_.CreateDebugUtilsMessengerEXT(handle_, &messenger, nullptr, &messenger_);
    physical_devices_ = enumerate<VkPhysicalDevice>(
        [&](uint32_t *n, VkPhysicalDevice *out) { return fn_.EnumeratePhysicalDevices(handle_, n, out); });
  } catch (...) {
    if (fn_.DestroyInstance) fn_.DestroyInstance(handle_, nullptr);
    throw;
  }
}

Instance::~Instance() {
  if (messenger_) fn_.DestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  fn_.DestroyInstance(handle_, nullptr);
}

} // namespace fovea::vk
