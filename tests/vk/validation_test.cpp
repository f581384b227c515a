// Mistakes planted for the Khronos layer: a run whose checks do not report each of them proves nothing.
// tests/run makes these first on every driver.
#include "base/log.h"
#include "support/validation.h"
#include "tests/vk/support.h"

#include <algorithm>
#include <functional>

namespace fovea::vk {
namespace {

/// Makes a mistake on a device of its own, checked as `validation` says; what the layer reported, by kind.
std::string reported(Validation validation, const std::function<void(Device &)> &mistake) {
  std::string text;
  set_log_sink([&](LogLevel level, std::string_view message) {
    if (level == LogLevel::Error) text.append(message).append("\n");
  });
  const uint64_t before = validation_error_count();
  try {
    mistake(*test::open({.validation = validation}));
  } catch (...) {
    set_log_sink({});
    throw;
  }
  set_log_sink({});
  fovea::test::provoked_validation_errors() += validation_error_count() - before;
  return text;
}

bool has(const std::string &text, std::string_view report) {
  if (text.find(report) != std::string::npos) return true;
  MESSAGE(concat("reported: ", text.empty() ? "nothing" : text));
  return false;
}

/// Rows of 64 floats, and what normalizes them.
struct Rows {
  static constexpr uint32_t kLength = 64, kRows = 4;
  static constexpr uint64_t kRowBytes = kLength * sizeof(float);
  const Kernel &kernel;
  std::vector<Buffer> buffers; // of values two, the first of n_first rows; gamma, beta
  explicit Rows(Device &device, uint32_t n_first = kRows) : kernel(test::layer_norm(device)) {
    for (const uint32_t n_rows : {n_first, kRows, 1u, 1u})
      buffers.push_back(device.allocate(MemoryKind::Shared, n_rows * kRowBytes, "rows"));
  }
  DispatchCommand norm(size_t from, size_t to) const {
    DispatchCommand out;
    out.kernel = &kernel;
    out.bindings = {{0, &buffers[from], 0, buffers[from].size_bytes()},
                    {1, &buffers[2], 0, kRowBytes},
                    {2, &buffers[3], 0, kRowBytes},
                    {3, &buffers[to], 0, buffers[to].size_bytes()}};
    out.push_constants = test::bytes_of(
        LayerNormParams{.n_rows = kRows, .row_length = kLength, .row_stride = 1, .epsilon = 1e-5f});
    out.groups = {kRows, 1, 1};
    return out;
  }
};

void run(Device &device, const std::function<void(Recorder &)> &record) {
  Recorder recorder = device.recorder();
  record(recorder);
  recorder.barrier(Hazard::ComputeToHost);
  const Recording recording = recorder.finish();
  Fence fence = device.fence();
  fence.submit(recording.parts());
  fence.wait();
}

} // namespace

TEST_CASE("validation: planted: more than a limit") {
  if (test::validation() == Validation::Off) return;
  const std::string text = reported(test::validation(), [](Device &device) {
    const Context &c = *device.context();
    const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, c.caps.max_push_constant_bytes + 4};
    auto info = structure<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
    info.pushConstantRangeCount = 1;
    info.pPushConstantRanges = &range;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    if (c.fn.CreatePipelineLayout(c.device, &info, nullptr, &layout) == VK_SUCCESS)
      c.fn.DestroyPipelineLayout(c.device, layout, nullptr);
  });
  CHECK(has(text, "VUID-VkPushConstantRange-size-00298"));
}

TEST_CASE("validation: planted: a view past the end of its buffer") {
  if (test::validation() == Validation::Off) return;
  const std::string text = reported(test::validation(), [](Device &device) {
    const Context &c = *device.context();
    const Buffer buffer = device.allocate(MemoryKind::Device, 4096, "view");
    auto info = structure<VkBufferViewCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO);
    info.buffer = buffer.handle();
    info.format = VK_FORMAT_R32G32B32A32_SFLOAT;
    info.range = 1 << 16;
    VkBufferView view = VK_NULL_HANDLE;
    if (c.fn.CreateBufferView(c.device, &info, nullptr, &view) == VK_SUCCESS)
      c.fn.DestroyBufferView(c.device, view, nullptr);
  });
  CHECK(has(text, "VUID-VkBufferViewCreateInfo-offset-00931"));
}

TEST_CASE("validation: planted: no barrier between a write and a read") {
  if (test::validation() == Validation::Off) return;
  const auto two = [](bool barrier) {
    return reported(test::validation(), [=](Device &device) {
      const Rows rows(device);
      run(device, [&](Recorder &recorder) {
        recorder.dispatch(rows.norm(0, 1));
        if (barrier) recorder.barrier(Hazard::ComputeToCompute);
        recorder.dispatch(rows.norm(1, 0));
      });
    });
  };
  std::string hazard = two(false); // SYNC-HAZARD-READ-AFTER-WRITE, or newer: READ_AFTER_WRITE hazard detected
  std::replace(hazard.begin(), hazard.end(), '_', '-');
  CHECK(has(hazard, "READ-AFTER-WRITE"));
  CHECK(two(true) == "");
}

TEST_CASE("validation: planted: a kernel that reads past its buffer is seen on the GPU") {
  if (test::validation() == Validation::Off) return;
  const auto norm = [](uint32_t n_first) {
    return reported(Validation::Gpu, [=](Device &device) {
      const Rows rows(device, n_first);
      run(device, [&](Recorder &recorder) { recorder.dispatch(rows.norm(0, 1)); });
    });
  };
  CHECK(has(norm(1), "out of bounds"));
  CHECK(norm(Rows::kRows) == "");
}

} // namespace fovea::vk
