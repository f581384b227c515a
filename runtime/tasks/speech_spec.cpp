#include "tasks/speech_spec.h"

#include "tasks/graph_check.h"
#include "tasks/metadata_reader.h"

namespace fovea {
namespace {

constexpr uint32_t kMaxWindowSamples = 1u << 24; // 17 minutes at 16 kHz: far above any model, small in memory
constexpr uint32_t kMaxVocabulary = 1u << 24;    // ids pass through f32
constexpr uint32_t kMaxContext = 1u << 16;
constexpr size_t kMaxLanguages = 4096;

void read_languages(const ModelFile &file, const MetadataReader &read, SpeechSpec &s) {
  if (!s.multilingual) {
    s.languages = {"en"};
    return;
  }
  const auto codes = file.get_strings("fovea.transcribe.languages");
  const auto tokens = file.get_i32s("fovea.transcribe.language_tokens");
  if (codes.empty() || codes.size() > kMaxLanguages)
    read.reject("fovea.transcribe.languages", codes.size(), "1 to 4096 codes in a multilingual model");
  if (tokens.size() != codes.size())
    read.reject("the number of fovea.transcribe.language_tokens", tokens.size(),
                concat(codes.size(), ", as many as languages"));
  for (const int32_t id : tokens)
    if (id < 0 || id >= int32_t(s.n_vocabulary))
      read.reject("one of fovea.transcribe.language_tokens", id, concat("ids below ", s.n_vocabulary));
  s.languages.assign(codes.begin(), codes.end());
  s.language_tokens = tokens;
}

void check_times(const MetadataReader &read, const SpeechSpec &s) {
  if (!s.has_times()) return;
  if (s.time_begin <= s.end)
    read.reject("fovea.transcribe.token.time_begin", s.time_begin,
                concat("an id after the end token ", s.end));
  if (s.time_end() > int32_t(s.n_vocabulary))
    read.reject("fovea.transcribe.token.time_begin", s.time_begin,
                concat("room for ", s.n_positions + 1, " times below ", s.n_vocabulary));
}

} // namespace

SpeechSpec SpeechSpec::read(const ModelFile &file) {
  const MetadataReader read(file);
  if (const std::string_view task = file.get_string(kTaskKey); task != kTranscribeTask)
    read.reject(kTaskKey, task, "a model that transcribes speech");
  if (const auto decoder = file.find_string(kDecoderKey))
    fail(ErrorCode::Unsupported, file.path(), ": ", kDecoderKey, " is '", *decoder,
         "': this needs a model that writes token after token");
  SpeechSpec s;
  s.sample_rate_hz = read.size("fovea.audio.sample_rate", 1000, 1'000'000);
  s.window_samples = read.size("fovea.audio.window_samples", 1, kMaxWindowSamples);
  s.hop_samples = read.size("fovea.audio.hop", 1, s.window_samples);
  s.context_before = read.size("fovea.audio.context_before", 0, s.window_samples);
  s.context_after = read.size("fovea.audio.context_after", 0, s.window_samples);
  s.n_frames = read.size("fovea.transcribe.frames", 1, s.window_samples);
  if (uint64_t(s.n_frames) * s.hop_samples != s.window_samples)
    read.reject("fovea.transcribe.frames", s.n_frames,
                concat(s.window_samples, " samples divided by the hop of ", s.hop_samples));
  s.n_positions = read.size("fovea.transcribe.positions", 1, s.n_frames);
  if (s.n_frames % s.n_positions != 0)
    read.reject("fovea.transcribe.positions", s.n_positions, concat("a divisor of ", s.n_frames, " frames"));
  s.n_context = read.size("fovea.transcribe.context", 8, kMaxContext);
  s.n_vocabulary = read.size("fovea.transcribe.vocabulary", 2, kMaxVocabulary);
  s.multilingual = file.get_bool("fovea.transcribe.multilingual");
  const auto token = [&](std::string_view name, bool required) {
    return read.token(concat("fovea.transcribe.token.", name), s.n_vocabulary, required);
  };
  s.start = token("start", true);
  s.end = token("end", true);
  s.translate = token("translate", false);
  s.transcribe = token("transcribe", s.multilingual);
  s.previous = token("previous", false);
  s.no_speech = token("no_speech", false);
  s.no_timestamps = token("no_timestamps", false);
  s.time_begin = token("time_begin", false);
  check_times(read, s);
  read_languages(file, read, s);
  return s;
}

void check_speech_graphs(const Model &model, const SpeechSpec &spec, uint64_t n_batch) {
  constexpr const char *kTask = "transcribing";
  const TensorType window{{spec.input_samples()}, Encoding::F32}, one{{1}, Encoding::F32};
  GraphChecker peak(model, "peak", {}, kTask);
  peak.input("window", window);
  peak.no_more_inputs();
  peak.output("peak", one);

  GraphChecker features(model, "window", {}, kTask);
  features.input("window", window);
  features.input("peak", one);
  features.no_more_inputs();
  const TensorType mel = features.output("features");
  if (mel.shape.rank() != 2 || mel.shape[1] != spec.n_frames || mel.encoding != Encoding::F32)
    fail(ErrorCode::InvalidGraph, model.path(), ": graph 'window' gives 'features' as ", mel, ", expected ",
         spec.n_frames, " frames");

  GraphChecker encode(model, "encode", {}, kTask);
  encode.input("features", mel);
  encode.no_more_inputs();
  if (const TensorType &e = encode.output("encoder"); e.shape.rank() != 2 || e.shape[0] != spec.n_positions)
    fail(ErrorCode::InvalidGraph, model.path(), ": graph 'encode' gives 'encoder' as ", e, ", expected ",
         spec.n_positions, " positions");

  GraphChecker step(model, "step", {{"B", n_batch}, {"T", 1}}, kTask);
  step.input("decoder_tokens", {{n_batch, 1}, Encoding::I32});
  step.input("rules", {{n_batch, 4}, Encoding::I32});
  step.no_more_inputs();
  step.step("pos");
  const TensorType row{{n_batch, 1, spec.n_vocabulary}, Encoding::F32};
  step.output("last", row);
  step.output("logprobs", row);
  step.pairs("best", n_batch, 1, 1);
  if (n_batch == 1) return;
  step.pairs("top", n_batch, n_batch + 1, spec.n_vocabulary);
  GraphChecker reorder(model, "reorder", {{"B", n_batch}}, kTask);
  reorder.input("order", {{n_batch}, Encoding::I32});
  reorder.no_more_inputs();
  reorder.step("rows");
}

} // namespace fovea
