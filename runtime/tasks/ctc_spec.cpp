#include "tasks/ctc_spec.h"

#include "tasks/graph_check.h"
#include "tasks/metadata_reader.h"
#include "tasks/speech_spec.h"
#include "text/utf8.h"

namespace fovea {
namespace {

constexpr uint32_t kMaxRate = 1'000'000;
constexpr uint32_t kMaxWindowSamples = 1u << 24; // 17 minutes at 16 kHz
constexpr size_t kMaxVocabulary = 1u << 24;      // ids pass through f32
constexpr size_t kMaxTokenBytes = 255;

void read_tokens(const ModelFile &file, const MetadataReader &read, CtcSpec &s) {
  constexpr std::string_view kKey = "fovea.transcribe.ctc.tokens";
  const auto tokens = file.get_strings(kKey);
  if (tokens.size() < 2 || tokens.size() > kMaxVocabulary)
    read.reject(kKey, concat(tokens.size(), " texts"), concat("2 to ", kMaxVocabulary));
  for (const std::string_view token : tokens) {
    if (token.size() > kMaxTokenBytes || !is_utf8(token))
      read.reject(concat("entry ", s.tokens.size(), " of ", kKey), concat(token.size(), " bytes"),
                  concat("UTF-8 of at most ", kMaxTokenBytes));
    s.tokens.emplace_back(token);
  }
}

} // namespace

CtcSpec CtcSpec::read(const ModelFile &file) {
  const MetadataReader read(file);
  CtcSpec s;
  s.sample_rate_hz = read.size("fovea.audio.sample_rate", 1000, kMaxRate);
  s.window_samples = read.size("fovea.audio.window_samples", 1, kMaxWindowSamples);
  s.hop_samples = read.size("fovea.transcribe.ctc.hop", 1, s.window_samples);
  s.context_samples = read.size("fovea.transcribe.ctc.context", 1, s.window_samples);
  s.overlap_samples = read.size("fovea.transcribe.ctc.overlap", 0, (s.window_samples - 1) / 2);
  if (s.window_samples % s.hop_samples != 0)
    read.reject("fovea.audio.window_samples", s.window_samples,
                concat("a multiple of the hop of ", s.hop_samples));
  if (s.overlap_samples % s.hop_samples != 0)
    read.reject("fovea.transcribe.ctc.overlap", s.overlap_samples,
                concat("a multiple of the hop of ", s.hop_samples));
  // The last frames of a window's own part must lie within the window.
  if (s.overlap_samples + s.hop_samples < s.context_samples)
    read.reject("fovea.transcribe.ctc.overlap", s.overlap_samples,
                concat("at least the ", s.context_samples, " samples that a frame sees, less the hop of ",
                       s.hop_samples));
  read_tokens(file, read, s);
  s.blank = read.token("fovea.transcribe.ctc.blank", uint32_t(s.tokens.size()), true);
  s.delimiter = read.token("fovea.transcribe.ctc.delimiter", uint32_t(s.tokens.size()), false);
  if (s.delimiter == s.blank)
    read.reject("fovea.transcribe.ctc.delimiter", s.delimiter, "another id than the blank's");
  s.clean_up = file.find_bool("fovea.transcribe.ctc.clean_up").value_or(false);
  return s;
}

void check_ctc_graph(const Model &model, const CtcSpec &spec) {
  // The shortest input and the longest: a graph made for one length is neither.
  for (const uint64_t n : {spec.context_samples, spec.window_samples}) {
    GraphChecker window(model, "window", {{"N", n}}, "transcribing");
    window.input("window", {{1, n}, Encoding::F32});
    window.no_more_inputs();
    window.pairs("best", spec.n_frames(n), 1, kMaxCtcCandidates);
  }
}

} // namespace fovea
