// A speech model with a CTC head that is told by the level of its samples which token to hear, so that tests
// can say words to it: 1000 samples and 50 frames a second, windows of a second that share 0.2 s.
#pragma once

#include "exec/tensors.h"
#include "format/gguf_writer.h"

#include <functional>
#include <map>

namespace fovea::test {

inline constexpr uint32_t kCtcHop = 20, kCtcContext = 40, kCtcVocabulary = 16;
inline constexpr int32_t kCtcBlank = 0, kCtcDelimiter = 1, kCtcSpecial = 2, kCtcLetterA = 3; // A … M

inline std::map<std::string, MetaData> ctc_metadata(uint32_t scale = 1) {
  std::vector<std::string> tokens = {"", "|", ""};
  for (char c = 'A'; tokens.size() < kCtcVocabulary; ++c) tokens.push_back(std::string(1, c));
  std::map<std::string, MetaData> m;
  m["general.architecture"] = std::string("fovea");
  m["fovea.task"] = std::string("transcribe");
  m["fovea.transcribe.decoder"] = std::string("ctc");
  m["fovea.audio.sample_rate"] = 1000 * scale;
  m["fovea.audio.window_samples"] = 1000 * scale;
  m["fovea.transcribe.ctc.overlap"] = 100 * scale;
  m["fovea.transcribe.ctc.hop"] = kCtcHop * scale;
  m["fovea.transcribe.ctc.context"] = kCtcContext * scale;
  m["fovea.transcribe.ctc.blank"] = kCtcBlank;
  m["fovea.transcribe.ctc.delimiter"] = kCtcDelimiter;
  m["fovea.transcribe.ctc.clean_up"] = false;
  m["fovea.transcribe.ctc.tokens"] = tokens;
  return m;
}

struct TinyCtcModel {
  std::function<void(std::map<std::string, MetaData> &)> edit_metadata;
  std::function<void(std::string &)> edit_graph;
  uint32_t scale = 1;
};

inline void write_tiny_ctc_model(const std::string &path, const TinyCtcModel &what = {}) {
  const uint32_t hop = kCtcHop * what.scale, context = kCtcContext * what.scale;
  std::string graph = "graph window\n"
                      "  in window f32 [1, N]\n"
                      "  m = as_map(window)\n"
                      "  c = conv2d(m, ear.w, ear.b) kernel_h=1 kernel_w=" +
                      std::to_string(context) + " stride_h=1 stride_w=" + std::to_string(hop) +
                      "\n"
                      "  logits = flatten(c)\n"
                      "  p = softmax(logits) log=true\n"
                      "  out best = top_k(p) k=1\n";
  if (what.edit_graph) what.edit_graph(graph);
  auto metadata = ctc_metadata(what.scale);
  if (what.edit_metadata) what.edit_metadata(metadata);
  // The logit of token j is larger the nearer the mean of a frame's first 20 samples is to j / 16.
  HostTensor w({{kCtcVocabulary, context}, Encoding::F32}), b({{kCtcVocabulary}, Encoding::F32});
  for (uint32_t j = 0; j < kCtcVocabulary; ++j) {
    const float level = float(j) / kCtcVocabulary;
    for (uint32_t k = 0; k < hop; ++k) w.f[j * context + k] = 2 * level * 4000 / float(hop);
    b.f[j] = -level * level * 4000;
  }
  GgufWriter writer(path);
  for (const auto &[key, value] : metadata) writer.add(key, value);
  writer.add_graph("window", graph);
  writer.add_tensor("ear.w", w.type);
  writer.add_tensor("ear.b", b.type);
  writer.write(tensor_bytes(w));
  writer.write(tensor_bytes(b));
  writer.commit();
}

/// The sound in which the model hears these tokens, one a frame.
inline std::vector<float> ctc_sound(const std::vector<int32_t> &tokens) {
  std::vector<float> samples;
  for (const int32_t token : tokens) samples.insert(samples.end(), kCtcHop, float(token) / kCtcVocabulary);
  samples.insert(samples.end(), kCtcContext - kCtcHop, 0.0f);
  return samples;
}

/// Of words like "AB": each letter for two frames, a blank between letters; three delimiters between words.
inline std::vector<int32_t> ctc_tokens(const std::string &text) {
  std::vector<int32_t> tokens;
  for (const char c : text) {
    const int32_t token = c == ' ' ? kCtcDelimiter : c == '.' ? kCtcBlank : kCtcLetterA + (c - 'A');
    tokens.insert(tokens.end(), c == ' ' ? 3 : 2, token);
    tokens.push_back(kCtcBlank);
  }
  return tokens;
}

} // namespace fovea::test
