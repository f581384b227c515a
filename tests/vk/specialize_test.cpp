// Specialization constants as plain ones: the same kernel, which the driver takes, and nothing made of what
// is no module.
#include "tests/vk/support.h"
#include "vk/reflect.h"
#include "vk/specialize.h"

namespace fovea::vk {
namespace {

constexpr uint32_t kSpecId = 1, kOpConstant = 43, kOpDecorate = 71;
constexpr uint32_t kOpSpecConstantTrue = 48, kOpSpecConstantOp = 52, kOpLoopMerge = 246;

template <class Visit> void each_instruction(std::span<const uint32_t> words, Visit visit) {
  for (size_t at = 5; at < words.size(); at += words[at] >> 16)
    visit(words[at] & 0xFFFF, words.subspan(at + 1, (words[at] >> 16) - 1));
}

} // namespace

TEST_CASE("specialize: every kernel keeps its interface and loses its specialization constants") {
  for (uint32_t i = 0; i < kKernelCount; ++i) {
    const auto words = spirv(KernelId(i));
    if (words.empty()) continue;
    INFO(std::string(to_string(KernelId(i))));
    const auto made = specialize(words, std::array{32u});
    REQUIRE(!made.empty());
    each_instruction(made, [](uint32_t op, std::span<const uint32_t> w) {
      CHECK((op < kOpSpecConstantTrue || op > kOpSpecConstantOp));
      if (op == kOpLoopMerge) CHECK((w[2] & 1) == 0); // not unrolled
    });
    const KernelInterface before = reflect(words, "before"), after = reflect(made, "after");
    CHECK(after.spec_ids.empty());
    CHECK(after.bindings == before.bindings);
    CHECK(after.push_constant_bytes == before.push_constant_bytes);
    uint32_t workgroup_size = 0; // the constant that had SpecId 0
    each_instruction(words, [&](uint32_t op, std::span<const uint32_t> w) {
      if (op == kOpDecorate && w.size() == 3 && w[1] == kSpecId && w[2] == 0) workgroup_size = w[0];
    });
    bool found = workgroup_size == 0;
    each_instruction(made, [&](uint32_t op, std::span<const uint32_t> w) {
      found = found || (op == kOpConstant && w[1] == workgroup_size && w[2] == 32);
    });
    CHECK(found);
  }
}

TEST_CASE("specialize: the driver takes what is made of a kernel") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const struct {
    KernelId id;
    std::vector<uint32_t> spec;
  } all[] = {{KernelId::linear_base_q4, {64, 3, 1, 1, 0, 1, 0, 4, 4, 8}},
             {KernelId::linear_vector_base_f16, {64, 1, 0, 2, 0, 0, 0, 3, 4, 768}},
             {KernelId::attention_base, {64, 1, 1, 64, 3, 4, 1}},
             {KernelId::layer_norm, {32}},
             {KernelId::gated, {64, 3}}};
  for (const auto &[id, spec] : all) {
    INFO(std::string(to_string(id)));
    const auto words = specialize(spirv(id), spec);
    const Kernel kernel(device->context(), {id, spec, 0}, VK_NULL_HANDLE, words);
  }
  CHECK(validation_error_count() == before);
}

TEST_CASE("specialize: what is no module, is cut short or computes something unknown is left to the driver") {
  CHECK(specialize({}, {}).empty());
  CHECK(specialize(std::array{1u, 2u, 3u, 4u, 5u, 6u}, {}).empty());
  const std::vector<uint32_t> whole = spirv(KernelId::linear_base_f32);
  CHECK(specialize(std::span(whole).first(6), {}).empty());
  std::vector<uint32_t> changed(whole.begin(), whole.end());
  size_t n_changed = 0;
  for (size_t at = 5; at < changed.size(); at += changed[at] >> 16)
    if ((changed[at] & 0xFFFF) == kOpSpecConstantOp) {
      changed[at + 3] = 9999;
      ++n_changed;
    }
  REQUIRE(n_changed > 0);
  CHECK(specialize(changed, {}).empty());
}

} // namespace fovea::vk
