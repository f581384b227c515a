#include "kernels/catalogue.h"
#include "tests/vk/support.h"

namespace fovea::vk {

TEST_CASE("reflection: layer_norm's interface") {
  const KernelInterface interface = reflect(spirv(KernelId::layer_norm), "layer_norm");
  REQUIRE(interface.bindings.size() == 4);
  for (uint32_t slot = 0; slot < 4; ++slot) {
    CHECK(interface.bindings[slot].slot == slot);
    CHECK(interface.bindings[slot].type == BindingType::StorageBuffer);
    CHECK(interface.bindings[slot].writes == (slot == 3));
    CHECK(interface.bindings[slot].reads == (slot != 3));
  }
  CHECK(interface.push_constant_bytes == sizeof(LayerNormParams));
  CHECK(interface.spec_ids == std::vector<uint32_t>{0});
  CHECK(interface.local_size_spec[0] == 0);
  CHECK(interface.local_size_spec[1] == -1);
  CHECK(interface.local_size[1] == 1);
  CHECK(interface.has_capability(1));       // Shader
  CHECK_FALSE(interface.has_capability(9)); // Float16
  CHECK(interface.find(4) == nullptr);
}

TEST_CASE("reflection: every kernel keeps to the convention") {
  for (uint32_t id = 0; id < kKernelCount; ++id) {
    CAPTURE(to_string(KernelId(id)));
    const KernelInterface interface = reflect(spirv(KernelId(id)), to_string(KernelId(id)));
    uint32_t n_storage = 0;
    for (const KernelBinding &binding : interface.bindings) {
      n_storage += binding.type == BindingType::StorageBuffer;
      if (binding.type == BindingType::UniformBuffer) CHECK(binding.slot == 4);
      if (binding.type == BindingType::StorageBuffer) CHECK(binding.slot < 4);
    }
    CHECK(n_storage <= 4);
    CHECK(interface.push_constant_bytes <= 128);
    CHECK(interface.local_size_spec[0] == 0);
  }
}

TEST_CASE("reflection: what is no compute module is refused, wherever it is cut") {
  const std::vector<uint32_t> words = spirv(KernelId::layer_norm);
  CHECK(test::error_of([] { reflect({}, "empty"); }).code() == ErrorCode::InvalidArgument);
  const std::vector<uint32_t> zeros(16);
  CHECK(test::says(test::error_of([&] { reflect(zeros, "zeros"); }), "zeros: not a SPIR-V module"));
  for (size_t n = 0; n < words.size();
       ++n) { // whole instructions may remain: no error then, and no crash either
    try {
      reflect(std::span(words).first(n), "cut");
    } catch (const Error &error) {
      CHECK(error.code() == ErrorCode::InvalidArgument);
    }
  }
  std::vector<uint32_t> damaged(words.begin(), words.end());
  for (size_t i = 5; i < damaged.size(); ++i) {
    const uint32_t kept = damaged[i];
    for (uint32_t bad : {0u, 0xFFFFFFFFu, kept ^ 0x10001u}) {
      damaged[i] = bad;
      try {
        reflect(damaged, "damaged");
      } catch (const Error &error) {
        CHECK(error.code() == ErrorCode::InvalidArgument);
      }
    }
    damaged[i] = kept;
  }
}

} // namespace fovea::vk
