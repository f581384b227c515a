// Selection with forged devices: no GPU.
#include "kernels/catalogue.h"
#include "kernels/select.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <tuple>

using namespace fovea;

namespace {

DeviceCaps with_subgroups(const char *name, DeviceType type, uint32_t size, uint32_t smallest) {
  DeviceCaps caps;
  caps.name = name;
  caps.type = type;
  caps.subgroup_size = caps.max_subgroup_size = size;
  caps.min_subgroup_size = smallest;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.max_workgroup_invocations = 1024;
  caps.max_workgroup_size = {1024, 1024, 64};
  caps.max_shared_memory_bytes = 32768;
  return caps;
}

const DeviceCaps kBaseline;
const DeviceCaps kLlvmpipe = [] {
  DeviceCaps caps = with_subgroups("llvmpipe", DeviceType::Software, 8, 8);
  caps.driver_id = kLlvmpipeDriverId;
  return caps;
}();
const DeviceCaps kSwiftShader = with_subgroups("SwiftShader", DeviceType::Software, 4, 4);
const DeviceCaps kMali = with_subgroups("Mali", DeviceType::Integrated, 16, 16);
const DeviceCaps kIntel = with_subgroups("Intel", DeviceType::Integrated, 32, 8); // not fixed
const DeviceCaps kNvidia = with_subgroups("NVIDIA", DeviceType::Discrete, 32, 32);
const DeviceCaps kAdreno = with_subgroups("Adreno", DeviceType::Integrated, 64, 64);
const DeviceCaps kV3d = [] { // subgroups of 16, but no operation between their lanes
  DeviceCaps caps = with_subgroups("V3D", DeviceType::Integrated, 16, 16);
  caps.subgroup_arithmetic = caps.subgroup_shuffle = false;
  caps.max_workgroup_invocations = 256;
  caps.max_shared_memory_bytes = 16384;
  return caps;
}();
const DeviceCaps *const kDevices[] = {&kBaseline, &kLlvmpipe, &kSwiftShader, &kMali,
                                      &kIntel,    &kNvidia,   &kAdreno,      &kV3d};

LinearShape linear(uint32_t n_rows, uint32_t n_cols, uint32_t k, Encoding weights, bool aligned = true) {
  LinearShape s;
  s.n_rows = n_rows;
  s.n_cols = n_cols;
  s.k = k;
  s.weights = weights;
  s.aligned = aligned;
  return s;
}

AttentionShape attention(uint32_t n_queries, uint32_t n_keys, uint32_t head_size, bool half = false) {
  AttentionShape s;
  s.n_heads = s.n_kv_heads = 6;
  s.head_size = head_size;
  s.n_queries = n_queries;
  s.n_keys = n_keys;
  s.kv = half ? Encoding::F16 : Encoding::F32;
  s.aligned = head_size % 8 == 0;
  return s;
}

std::string name(const KernelChoice &choice) { return to_string(choice.kernel); }
bool subgroup_kernel(const KernelChoice &choice) {
  return name(choice).find("subgroup") != std::string::npos ||
         name(choice).find("columns") != std::string::npos || name(choice).find("texel") != std::string::npos;
}

/// What every choice must respect.
void check_limits(const DeviceCaps &caps, const KernelChoice &choice) {
  INFO(caps.name, ": ", name(choice));
  CHECK(choice.spec.at(0) <= caps.max_workgroup_invocations);
  for (int i = 0; i < 3; ++i) {
    CHECK(choice.groups[i] >= 1);
    CHECK(choice.groups[i] <= 65535);
  }
  if (subgroup_kernel(choice)) {
    CHECK(caps.fixed_subgroups());
    CHECK(caps.subgroup_shuffle);
    const bool few = name(choice).find("_few") != std::string::npos;
    CHECK(choice.spec[0] == caps.subgroup_size * (few ? choice.tile[1] : 1));
  }
}

} // namespace

TEST_CASE("select: linear on every device, its limits kept, a baseline variant always among them") {
  for (const DeviceCaps *caps : kDevices)
    for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
      for (const uint32_t rows : {1u, 2u, 5u, 8u, 9u, 1500u, 3000000u})
        for (const uint32_t cols : {1u, 384u, 51865u})
          for (const uint32_t k : {31u, 32u, 80u, 384u, 1536u})
            for (const bool aligned : {false, true}) {
              if (is_quantized(e) && k % 32 != 0) continue;
              const auto all = all_linear_variants(*caps, linear(rows, cols, k, e, aligned && k % 8 == 0));
              REQUIRE(!all.empty());
              for (const auto &choice : all) check_limits(*caps, choice);
              CHECK(std::any_of(all.begin(), all.end(),
                                [&](const auto &c) { return name(c) == concat("linear_base_", e); }));
            }
}

TEST_CASE("select: linear's preferences") {
  const auto pick = [](const DeviceCaps &caps, const LinearShape &s) { return name(select_linear(caps, s)); };
  CHECK(pick(kLlvmpipe, linear(1500, 384, 384, Encoding::F16)) == "linear_subgroup_f16");
  CHECK(pick(kLlvmpipe, linear(1, 51865, 384, Encoding::Q4)) == "linear_vector_columns_q4");
  CHECK(pick(kNvidia, linear(1, 51865, 384, Encoding::Q4)) == "linear_vector_subgroup_q4");
  CHECK(pick(kAdreno, linear(1500, 384, 384, Encoding::F32)) == "linear_subgroup_f32");
  CHECK(pick(kIntel, linear(1500, 384, 384, Encoding::F32)) == "linear_base_f32");
  CHECK(pick(kV3d, linear(1500, 384, 384, Encoding::Q8)) == "linear_base_q8");
  CHECK(pick(kV3d, linear(5, 384, 384, Encoding::Q8)) == "linear_vector_base_q8");
  // Not aligned, or K not in whole 16-byte loads.
  CHECK(pick(kLlvmpipe, linear(1500, 384, 384, Encoding::F16, false)) == "linear_base_f16");
  CHECK(pick(kLlvmpipe, linear(1500, 384, 36, Encoding::F16)) == "linear_base_f16");
  CHECK(pick(kLlvmpipe, linear(1500, 384, 36, Encoding::F32)) == "linear_subgroup_f32");
  CHECK(pick(kAdreno, linear(1500, 384, 36, Encoding::F32)) == "linear_base_f32");
  CHECK(pick(kNvidia, linear(1, 384, 31, Encoding::F32)) == "linear_vector_base_f32");
}

TEST_CASE("select: through texel buffers, products with and without a bias are one pipeline") {
  LinearShape s = linear(1500, 384, 384, Encoding::F16);
  s.texels = true;
  const LinearChoice without = select_linear(kLlvmpipe, s);
  s.bias = BiasPlace::Weights;
  const LinearChoice with = select_linear(kLlvmpipe, s);
  REQUIRE(name(with) == "linear_texel_f16");
  CHECK(with.kernel == without.kernel);
  CHECK(with.spec == without.spec);
  s.bias = BiasPlace::Aux; // read elsewhere
  CHECK(select_linear(kLlvmpipe, s).spec != with.spec);
}

TEST_CASE("select: rows of W as one stream, and the norm before it, by that kernel alone") {
  LinearShape s = linear(1, 576, 576, Encoding::Q8);
  s.texels = true;
  const auto stream = select_normalizing_linear(kLlvmpipe, s, 1);
  REQUIRE(stream);
  CHECK(name(*stream) == "linear_vector_stream_q8");
  CHECK(stream->spec.back() == 1);
  CHECK(stream->among.empty());
  CHECK(select_linear(kLlvmpipe, s).spec.back() == 0);
  for (const auto &[rows, n, k] :
       {std::tuple{9u, 576u, 576u}, {1u, 575u, 576u}, {1u, 576u, 32u * 521u}, {8u, 576u, 1536u}}) {
    LinearShape other = linear(rows, n, k, Encoding::Q8);
    other.texels = true;
    CAPTURE(other.n_rows);
    CAPTURE(other.n_cols);
    CAPTURE(other.k);
    CHECK_FALSE(select_normalizing_linear(kLlvmpipe, other, 1));
    CHECK_NOTHROW(select_linear(kLlvmpipe, other));
  }
  CHECK_FALSE(select_normalizing_linear(kMali, s, 1));
  s.texels = false;
  CHECK_FALSE(select_normalizing_linear(kLlvmpipe, s, 1));
}

TEST_CASE(
    "select: rows of W as one stream, in an odd number of workgroups, few where there is little to do") {
  struct Case {
    uint32_t n, k, groups;
  };
  for (const Case &c : {Case{576, 576, 3},
                        {960, 576, 3},
                        {576, 1536, 5}, // 36 blocks of columns: not 6
                        {3072, 576, 7},
                        {49152, 576, 15},
                        {16, 576, 1}}) {
    LinearShape s = linear(1, c.n, c.k, Encoding::Q8);
    s.texels = true;
    CAPTURE(c.n);
    CAPTURE(c.k);
    CHECK(name(select_linear(kLlvmpipe, s)) == "linear_vector_stream_q8");
    CHECK(select_linear(kLlvmpipe, s).groups == std::array<uint32_t, 3>{c.groups, 1, 1});
  }
}

TEST_CASE("select: texel buffers where they hold the operands, first where they are the faster") {
  const auto has = [](const auto &choices, const std::string &kernel) {
    return std::any_of(choices.begin(), choices.end(), [&](const auto &c) { return name(c) == kernel; });
  };
  for (const auto &[rows, first, texel, buffer] :
       {std::tuple{1500u, "linear_texel_q8", "linear_texel_q8", "linear_subgroup_q8"},
        std::tuple{1u, "linear_vector_stream_q8", "linear_vector_texel_q8", "linear_vector_columns_q8"}}) {
    LinearShape s = linear(rows, 384, 384, Encoding::Q8);
    CHECK(name(select_linear(kLlvmpipe, s)) == buffer);
    CHECK_FALSE(has(all_linear_variants(kLlvmpipe, s), texel));
    s.texels = true;
    CHECK(name(select_linear(kLlvmpipe, s)) == first);
    CHECK(has(all_linear_variants(kLlvmpipe, s), buffer));
    CHECK(name(select_linear(kMali, s)) == buffer);
    CHECK(has(all_linear_variants(kMali, s), texel));
    CHECK_FALSE(has(all_linear_variants(kBaseline, s), texel));
  }
  for (const auto &[queries, texel, buffer] :
       {std::tuple{1500u, "attention_texel", "attention_subgroup"},
        std::tuple{1u, "attention_texel_few", "attention_subgroup_few"}}) {
    AttentionShape s = attention(queries, 1500, 64);
    CHECK(name(select_attention(kLlvmpipe, s)) == buffer);
    s.texels = true;
    CHECK(name(select_attention(kLlvmpipe, s)) == texel);
    CHECK(name(select_attention(kMali, s)) == buffer);
    CHECK(has(all_attention_variants(kMali, s), texel));
  }
}

TEST_CASE("select: a lane of attention for few queries holds at most 256 numbers of q") {
  constexpr size_t kQueries = 5, kHeads = 6; // constants of attention_subgroup_few.comp
  for (const uint32_t size : {16u, 64u, 96u, 128u, 256u})
    for (const uint32_t queries : {1u, 2u, 3u, 4u, 9u}) {
      INFO(size, " ", queries);
      size_t n_few = 0;
      for (const AttentionChoice &c : all_attention_variants(kLlvmpipe, attention(queries, 40, size))) {
        if (name(c) != "attention_subgroup_few") continue;
        ++n_few;
        CHECK(c.spec.at(kHeads) == 1);
        const uint32_t rows = c.spec.at(kQueries), wanted = queries >= 3 ? 4 : queries;
        CHECK(rows <= wanted);
        CHECK((rows == 1 || rows * size <= 256));
        CHECK((rows == wanted || (rows + 1) * size > 256));
      }
      CHECK(n_few == (queries <= 4 ? 2 : 1)); // with splits and without
    }
}

TEST_CASE("select: attention for few queries takes heads that share keys at once, a GPU's subgroups turns at "
          "keys") {
  using Tiles = std::vector<std::array<uint32_t, 2>>; // heads, splits
  const auto tiles = [](const DeviceCaps &caps, const AttentionShape &s) {
    Tiles out;
    for (const AttentionChoice &c : all_attention_variants(caps, s))
      if (name(c) == "attention_subgroup_few") out.push_back(c.tile);
    return out;
  };
  AttentionShape s = attention(1, 2048, 64);
  s.n_heads = 9;
  s.n_kv_heads = 3;
  CHECK(tiles(kLlvmpipe, s) == Tiles{{3, 1}, {1, 1}, {3, 8}});
  CHECK(tiles(kMali, s) == Tiles{{3, 8}, {1, 8}, {3, 1}});
  CHECK(select_attention(kMali, s).groups == std::array<uint32_t, 3>{3, 1, 1});
  CHECK(select_attention(kMali, s).spec[0] == 8 * kMali.subgroup_size);
  s.n_keys = 200; // three blocks of 64 keys and a part
  CHECK(tiles(kMali, s).front() == std::array<uint32_t, 2>{3, 4});
  s.n_keys = 64;
  CHECK(tiles(kMali, s) == Tiles{{3, 1}, {1, 1}});
  s.n_heads = 14; // 7 to each: 4 and 3
  s.n_kv_heads = 2;
  CHECK(tiles(kMali, s).front() == std::array<uint32_t, 2>{4, 1});
  CHECK(select_attention(kMali, s).groups == std::array<uint32_t, 3>{4, 1, 1});
  s.head_size = 128; // two rows of q at most
  CHECK(tiles(kMali, s).front() == std::array<uint32_t, 2>{2, 1});
  s.n_queries = 2;
  CHECK(tiles(kMali, s) == Tiles{{1, 1}});
}

TEST_CASE("select: linear's tiles cover the result") {
  const LinearChoice wide = select_linear(kLlvmpipe, linear(1500, 51865, 384, Encoding::F16));
  // 16 rows x 32 columns: 94 x 1621 tiles, more than one dimension takes.
  CHECK(wide.groups == std::array<uint32_t, 3>{256, 596, 1});
  CHECK(uint64_t(wide.groups[0]) * wide.groups[1] >= 94ull * 1621);
  const LinearChoice small = select_linear(kLlvmpipe, linear(17, 33, 64, Encoding::F32));
  CHECK(small.groups == std::array<uint32_t, 3>{4, 1, 1});
}

TEST_CASE("select: linear's specialization constants") {
  LinearShape s = linear(3, 64, 64, Encoding::Q8);
  s.activation = Activation::Silu;
  s.bias = BiasPlace::Weights;
  s.residual = s.y_f16 = s.bounded_x = true;
  for (const auto &choice : all_linear_variants(kLlvmpipe, s))
    CHECK(std::vector(choice.spec.begin() + 1, choice.spec.begin() + 7) ==
          std::vector<uint32_t>{3, 1, 1, 0, 1, 1});
}

TEST_CASE("select: what is disabled is routed around, and an error when nothing is left") {
  const LinearShape s = linear(1500, 384, 384, Encoding::F32);
  DeviceCaps caps = kLlvmpipe;
  caps.disabled_kernels.insert(uint32_t(KernelId::linear_subgroup_f32));
  CHECK(name(select_linear(caps, s)) == "linear_base_f32");
  caps.disabled_kernels.insert(uint32_t(KernelId::linear_base_f32));
  CHECK_THROWS_WITH_AS((void)select_linear(caps, s),
                       "linear of 1500 x 384 by f32 384 x 384: no kernel for it works on llvmpipe (fovea "
                       "doctor shows which are disabled, and why)",
                       Error);
  caps.disabled_kernels.insert(uint32_t(KernelId::attention_subgroup_few));
  CHECK(name(select_attention(caps, attention(1, 100, 64))) == "attention_subgroup");
  caps.disabled_kernels.insert(uint32_t(KernelId::attention_subgroup));
  CHECK(name(select_attention(caps, attention(1, 100, 64))) == "attention_base");
  caps.disabled_kernels.insert(uint32_t(KernelId::attention_base));
  CHECK_THROWS_AS((void)select_attention(caps, attention(1, 100, 64)), Error);
}

TEST_CASE("select: impossible shapes") {
  CHECK_THROWS_AS((void)select_linear(kBaseline, linear(0, 1, 1, Encoding::F32)), Error);
  CHECK_THROWS_AS((void)select_linear(kBaseline, linear(1, 1, 33, Encoding::Q4)), Error);
  CHECK_THROWS_AS((void)select_linear(kBaseline, linear(1, 1, 32, Encoding::I32)), Error);
  LinearShape s = linear(1, 3, 32, Encoding::F32);
  s.y_f16 = true;
  CHECK_THROWS_AS((void)select_linear(kBaseline, s), Error);
  s = linear(1, 4, 32, Encoding::Q8);
  s.residual = s.scales_in_aux = true;
  CHECK_THROWS_AS((void)select_linear(kBaseline, s), Error);
  CHECK_THROWS_AS((void)select_attention(kBaseline, attention(1, 1, 257)), Error);
  AttentionShape heads = attention(1, 1, 64);
  heads.n_kv_heads = 4;
  CHECK_THROWS_AS((void)select_attention(kBaseline, heads), Error);
}

TEST_CASE("select: attention on every device, its limits kept, the baseline last") {
  for (const DeviceCaps *caps : kDevices)
    for (const uint32_t head_size : {1u, 8u, 16u, 31u, 64u, 80u, 96u, 128u, 256u})
      for (const uint32_t queries : {1u, 2u, 4u, 5u, 1500u})
        for (const bool half : {false, true}) {
          const auto all = all_attention_variants(*caps, attention(queries, 1500, head_size, half));
          REQUIRE(!all.empty());
          for (const auto &choice : all) {
            check_limits(*caps, choice);
            CHECK(choice.spec.at(3) == head_size);
          }
          CHECK(name(all.back()) == "attention_base");
        }
  CHECK(name(select_attention(kLlvmpipe, attention(1500, 1500, 64))) == "attention_subgroup");
  CHECK(name(select_attention(kLlvmpipe, attention(1, 1500, 64, true))) == "attention_subgroup_few");
  CHECK(name(select_attention(kLlvmpipe, attention(1500, 1500, 31))) == "attention_base");
  CHECK(name(select_attention(kV3d, attention(1500, 1500, 64))) == "attention_base");
}
