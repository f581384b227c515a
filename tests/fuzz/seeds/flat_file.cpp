// Flat files: every encoding, every kind of metadata, the tasks' settings and tokenizers; and the tiny
// architectures' graphs with tensors of their own.
#include "exec/tensors.h"
#include "fuzz/seeds.h"
#include "support/ngram_files.h"
#include "support/source_files.h"
#include "support/speech_metadata.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"

using namespace fovea::test;

namespace fovea::fuzz {
namespace {

std::string written(const std::function<void(GgufWriter &)> &fill) {
  const TempFolder folder;
  GgufWriter writer(folder / "m");
  fill(writer);
  writer.commit();
  return read_file(folder / "m");
}

std::string every_kind() {
  return written([](GgufWriter &out) {
    out.add("tokenizer.tokens", std::vector<std::string>{"a", "bc", "", "def"});
    out.add("ids", std::vector<int32_t>{1, 2, 3});
    out.add("means", std::vector<float>{0.5f, 0.25f});
    out.add("scores", std::vector<double>{0.5});
    out.add("map", std::vector<uint8_t>{1, 2});
    out.add("large", uint64_t(1) << 40);
    out.add("flag", false);
    out.add("name", std::string("fuzz"));
    out.add_graph("g", "graph g\n  in x f32 [T, 64]\n  a = linear(x, a)\n  out y = softmax(a)\n");
    out.add_tensor("a", {{2, 64}, Encoding::Q8});
    out.add_tensor("b", {{2, 64}, Encoding::Q4});
    out.add_tensor("c", {{3, 5}, Encoding::F16});
    for (const size_t n : {128, 8, 64, 8, 30}) out.write(std::vector<std::byte>(n, std::byte{0x37}));
  });
}

std::string without_weights(const Metadata &metadata) {
  return written([&](GgufWriter &out) {
    for (const auto &[key, value] : metadata) out.add(key, value);
    out.add_tensor("t", {{2}, Encoding::F32});
    out.write(std::vector<std::byte>(8));
  });
}

std::string architecture(const ModelPlan &plan) {
  return written([&](GgufWriter &out) {
    uint64_t bytes = 0;
    for (const auto &[key, value] : plan.metadata) out.add(key, value);
    for (const auto &[name, text] : plan.graphs) out.add_graph(name, text);
    for (const OutputTensor &t : plan.tensors)
      if (TensorType type{t.shape, t.tensor_class == TensorClass::Index ? Encoding::I32 : Encoding::F32};
          bytes < 1 << 15)
        out.add_tensor(t.name, type), bytes += type.bytes();
    bytes = 0;
    for (const OutputTensor &t : plan.tensors)
      if (bytes < 1 << 15)
        out.write(std::vector<std::byte>(4 * t.shape.elements())), bytes += 4 * t.shape.elements();
  });
}

} // namespace

Seeds flat_file_seeds() {
  Seeds out;
  out["every_kind"] = every_kind();
  out["speech"] = without_weights(speech_metadata(true));
  const TempFolder folder;
  write_tiny_ctc_model(folder / "m");
  out["ctc"] = read_file(folder / "m");
  for (const auto &[name, config] : tiny_configs())
    if (const auto plan = tiny_plan(config, Encoding::F32))
      if (std::string file = architecture(*plan); file.size() < 1 << 14) out[name] = std::move(file);
  return out;
}

Seeds graph_text_seeds() {
  Seeds out;
  for (const auto &[name, config] : tiny_configs()) {
    for (const Encoding encoding : {Encoding::F32, Encoding::Q8}) {
      const std::optional<ModelPlan> plan = tiny_plan(config, encoding);
      if (!plan) continue;
      for (const auto &[graph, text] : plan->graphs) {
        std::string seed = text;
        for (const OutputTensor &t : plan->tensors)
          if (seed.find(t.name) != std::string::npos)
            seed += concat("# weight ", t.name, " ",
                           t.tensor_class == TensorClass::Index ? Encoding::I32 : Encoding::F32, " ", t.shape,
                           "\n");
        if (seed.size() < 1 << 13) out[concat(name, "_", graph, "_", encoding)] = seed;
      }
    }
  }
  // Ops and encodings that none of them uses.
  const std::pair<const char *, const char *> calls[] = {
      {"linear_q8", "  in x f32 [T, 64]\n  out y = linear(x, w, b) act=gelu\n# weight w q8 [48, 64]\n# "
                    "weight b f32 [48]\n"},
      {"linear_q4",
       "  in x f32 [T, 64]\n  n = rms_norm(x, g)\n  out y = linear(n, w)\n# weight w q4 [4096, 64]\n"
       "# weight g f32 [64]\n"},
      {"attention_weights",
       "  in q f32 [1, T, 8]\n  in k f32 [1, T, 8]\n  out y = attention_weights(q, k) heads=2\n"},
      {"channels_first", "  in x f32 [2, 5, 7, 8]\n  out y = channels_first(x)\n"},
      {"depthwise_conv2d", "  in x f32 [1, H, W, 4]\n  out y = depthwise_conv2d(x, w) kernel_h=3 "
                           "kernel_w=3\n# weight w f32 [9, 4]\n"},
      {"gated", "  in x f32 [2, T, 16]\n  out y = gated(x) act=silu\n"},
      {"gru", "  in x f32 [2, T, 12]\n  out y = gru(x, w, b)\n# weight w f32 [12, 4]\n# weight b f32 [12]\n"},
      {"lstm",
       "  in x f32 [2, T, 16]\n  state s f32 [2, 2, 4]\n  out y = lstm(x, w, b, s)\n# weight w f32 [16, 4]\n"
       "# weight b f32 [16]\n"},
      {"map_positions", "  in x f32 [1, H, W, 2]\n  out y = map_positions(x) features=4\n"},
      {"repeat", "  in x f32 [B, 2]\n  out y = repeat(w, x)\n# weight w f32 [3, 2]\n"},
      {"token_rules", "  in x f32 [2, 4]\n  in r i32 [2, 4]\n  out y = token_rules(x, w, r) time_begin=2\n# "
                      "weight w f32 [4]\n"},
      {"weighted_sum", "  in x f32 [2, T, 4]\n  in p f32 [2, T]\n  out y = weighted_sum(x, p)\n"}};
  for (const auto &[name, text] : calls) out[name] = concat("graph g\n", text);
  return out;
}

} // namespace fovea::fuzz
