// What the tests of vk/ share: a device with validation on, and layer_norm as the kernel to run.
#pragma once

#include "kernels/catalogue.h"
#include "vk/device.h"

#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace fovea::vk::test {

inline bool in_ci() {
  const char *ci = std::getenv("CI");
  return ci && std::string_view(ci) == "true";
}

/// Validation where its layer is installed; without it the tests run on, but fail in CI. FOVEA_VALIDATION=0
/// and =gpu are heeded (0 is for the leak sanitizer: the layer itself leaks).
inline Validation validation() {
  static const Validation wanted = [] {
    if (const char *off = std::getenv("FOVEA_VALIDATION"); off && std::string_view(off) == "0")
      return Validation::Off;
    try {
      const bool gpu = validation_from_environment() == Validation::Gpu;
      const Instance probe(gpu ? Validation::Gpu : Validation::On);
      return probe.validation();
    } catch (const Error &error) {
      if (in_ci()) throw;
      MESSAGE(concat("without validation: ", error.what()));
      return Validation::Off;
    }
  }();
  return wanted;
}

inline std::shared_ptr<Device> open(DeviceOptions options = {}) {
  if (!options.validation) options.validation = validation();
  if (!options.cache_folder) options.cache_folder = "";
  return Device::open(options);
}

/// The code and text of the Error that `call` throws; fails the test when it throws none.
template <class Call> Error error_of(Call &&call) {
  try {
    call();
  } catch (const Error &error) {
    return error;
  }
  FAIL("no Error was thrown");
  return Error(ErrorCode::Internal, "");
}

inline bool says(const Error &error, std::string_view text) {
  if (std::string_view(error.what()).find(text) != std::string_view::npos) return true;
  MESSAGE(concat("the error is: ", error.what()));
  return false;
}

/// Sets an environment variable for a scope; nullptr unsets it.
class ScopedEnv {
public:
  ScopedEnv(const char *name, const char *value) : name_(name) {
    if (const char *old = std::getenv(name)) old_ = old;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~ScopedEnv() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
  ScopedEnv(const ScopedEnv &) = delete;
  ScopedEnv &operator=(const ScopedEnv &) = delete;

private:
  const char *name_;
  std::optional<std::string> old_;
};

/// A folder that goes away with the test.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fovea-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

template <class T> std::vector<std::byte> bytes_of(const T &value) {
  std::vector<std::byte> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

inline float *floats(const Buffer &buffer) { return reinterpret_cast<float *>(buffer.data()); }

/// A workgroup size the device allows.
inline const Kernel &layer_norm(Device &device, uint32_t workgroup = 64) {
  return device.kernels().get({KernelId::layer_norm, {workgroup}, 0});
}

} // namespace fovea::vk::test
