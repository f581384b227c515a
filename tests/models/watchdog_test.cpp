// At the speed of every profile no launch is planned for longer than 30 ms: golden models at many sizes, and
// statements of real ones at theirs. No device needed.
#include "base/device_profile.h"
#include "graph/pieces.h"
#include "models/golden.h"
#include "ops/registry.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// As in models of today: the encoder of Whisper large, the last product of an 8-billion Llama and a prompt
/// of 512 tokens for one of its layers, a picture of 640 x 640, an LSTM over half a minute.
constexpr const char *kRealGraph = R"(graph real
  in frames f32 [1, 1500, 1280]
  in token f32 [1, 1, 4096]
  in prompt f32 [1, 512, 4096]
  in picture f32 [1, 320, 320, 64]
  in gates f32 [1, 1500, 2048]
  wide = linear(frames, ffn)
  q = linear(frames, narrow)
  out speech = attention(q, q, q) heads=20
  out logits = linear(token, vocabulary)
  up = linear(prompt, mlp)
  out down = linear(up, mlp_back)
  out same = linear(wide, ffn_back)
  out features = conv2d(picture, filters) kernel_h=3 kernel_w=3 padding=1
  out heard = lstm(gates, recurrent)
)";

const std::map<std::string, TensorType> kTensors = {
    {"ffn", {{5120, 1280}, Encoding::Q8}},     {"ffn_back", {{1280, 5120}, Encoding::Q8}},
    {"narrow", {{1280, 1280}, Encoding::F16}}, {"vocabulary", {{128256, 4096}, Encoding::Q8}},
    {"mlp", {{14336, 4096}, Encoding::Q4}},    {"mlp_back", {{4096, 14336}, Encoding::Q4}},
    {"filters", {{128, 576}, Encoding::F16}},  {"recurrent", {{2048, 512}, Encoding::F16}},
};

struct Count {
  size_t n_dispatches = 0, n_cut = 0, n_launches = 0;
  double longest = 0, longest_uncut = 0;
  std::set<std::string> too_long; // statements
};

void check_plan(const Plan &plan, const DeviceCaps &caps, Count &count) {
  for (const Dispatch &d : plan.dispatches) {
    ++count.n_dispatches;
    count.n_cut += d.n_pieces > 1;
    count.longest_uncut = std::max(count.longest_uncut, estimated_seconds(caps, d));
    for (const Piece &piece : cut(d.groups, d.n_pieces)) {
      ++count.n_launches;
      const double seconds = estimated_seconds(caps, d, piece.n_groups());
      count.longest = std::max(count.longest, seconds);
      if (seconds > kMostSeconds && count.too_long.insert(plan.statement_text[d.statement]).second)
        FAIL_CHECK(concat(caps.name, ": ", plan.graph, ", ", plan.statement_text[d.statement], ", ",
                          to_string(d.kernel), ": ", uint64_t(seconds * 1e3), " ms for ", piece.n_groups(),
                          " groups of ", d.groups[0], "x", d.groups[1], "x", d.groups[2]));
    }
  }
}

DeviceCaps pretended(const BuiltinProfile &builtin) {
  DeviceCaps caps;
  caps.flops_per_s = caps.bytes_per_s = UINT64_MAX / 2;
  caps.max_texel_buffer_elements = 1u << 27;
  caps.max_storage_buffer_range = 1ull << 36;
  clamp(caps, load_profile(builtin.name));
  return caps;
}

} // namespace

TEST_CASE("watchdogs: statements of large models are launched in parts of 30 ms") {
  const Graph graph = parse_graph(kRealGraph, op_table());
  std::map<std::string, WeightInfo> weights;
  uint64_t at = 256;
  for (const auto &[name, type] : kTensors) {
    WeightInfo &w = weights[name];
    w.type = type;
    w.offset = at;
    at += (plane_bytes(type.shape, type.encoding) + 255) / 256 * 256;
    if (!is_quantized(type.encoding)) continue;
    w.scale_offset = at;
    at += (scale_bytes(type.shape, type.encoding) + 255) / 256 * 256;
  }
  const Graph *graphs[] = {&graph};
  for (const BuiltinProfile &builtin : builtin_profiles()) {
    const DeviceCaps caps = pretended(builtin);
    Count count;
    check_plan(make_plan(
                   graph, {}, [&](const std::string &name) { return &weights.at(name); },
                   StateLayout::of(graphs, {}), caps),
               caps, count);
    MESSAGE(concat(builtin.name, ": ", count.n_dispatches, " dispatches, ", count.n_cut, " cut, ",
                   count.n_launches, " launches, the longest ", uint64_t(count.longest * 1e6), " us (",
                   uint64_t(count.longest_uncut * 1e6), " us uncut)"));
    CHECK(count.longest > kMostSeconds / 4);
    if (caps.flops_per_s < 50'000'000'000) CHECK(count.n_cut >= 4);
  }
}

TEST_CASE("watchdogs: no launch of a golden model is planned for longer than 30 ms") {
  Count count;
  for (const char *name : {"whisper", "wav2vec2_ctc", "llama", "gemma3", "bert", "t5", "vit", "clip", "detr",
                           "segformer", "resnet", "lstm_attention", "caption"}) {
    const std::string folder = shared_path(concat("golden/cases/", name));
    if (folder.empty()) return;
    const auto model = converted(folder, Encoding::F32);
    std::vector<const Graph *> graphs;
    std::set<std::string> symbols;
    for (const Graph &g : model->graphs()) {
      graphs.push_back(&g);
      for (const ValueInfo &v : g.values())
        for (const Dim &d : v.dims)
          if (!d.symbol.empty()) symbols.insert(d.symbol);
    }
    for (const BuiltinProfile &builtin : builtin_profiles()) {
      const DeviceCaps caps = pretended(builtin);
      for (const Graph *graph : graphs)
        for (const uint64_t size : {1, 33, 400, 4000}) {
          if (size > 400 && symbols.size() > 1) continue;
          Bindings sizes;
          for (const std::string &symbol : symbols) sizes[symbol] = symbol == "B" ? 1 : size;
          try {
            check_plan(make_plan(
                           *graph, sizes, [&](const std::string &w) { return model->find_weight(w); },
                           StateLayout::of(graphs, sizes), caps),
                       caps, count);
          } catch (const Error &e) { // sizes that do not fit each other, or a binding
            CHECK_MESSAGE((e.code() == ErrorCode::InvalidGraph ||
                           std::string_view(e.what()).find("can bind") != std::string_view::npos),
                          std::string(e.what()));
          }
        }
    }
  }
  MESSAGE(concat(count.n_dispatches, " dispatches, ", count.n_cut, " cut, the longest launch ",
                 uint64_t(count.longest * 1e6), " us (", uint64_t(count.longest_uncut * 1e6), " us uncut)"));
  CHECK(count.n_cut > 0);
}
