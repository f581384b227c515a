// Words off frames: the graph "window" gives the most probable token of every frame of a piece of sound, and
// CtcReader joins them. A recording longer than a window is heard in overlapping ones, as the reference
// implementation does (AutomaticSpeechRecognitionPipeline, chunk_length_s and stride_length_s): each window
// is normalized by itself where the model wants it, and the halves of what two share are each taken from the
// window that has them further from its edge.
#include "tasks/transcription.h"

#include "tasks/ctc_ear.h"
#include "tasks/ctc_listener.h"
#include "tasks/recording.h"
#include "tasks/stopwatch.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr size_t kBlockSamples = 65536;

void check(const TranscribeOptions &o) {
  const auto reject = [](auto &&...what) { fail(ErrorCode::InvalidArgument, what...); };
  if (!o.language.empty())
    reject("language '", o.language,
           "': this model knows nothing of languages, it writes the one it was trained on; give "
           "none");
  if (o.translate) reject("this model cannot translate: it writes what it hears letter by letter");
  if (!o.initial_prompt.empty()) reject("this model takes no initial prompt: it has no memory of text");
  if (o.temperatures.empty() || o.temperatures.front() != 0)
    reject("this model takes no temperature but 0: its text is not sampled");
}

/// What the file has, unless the caller wants none of it (n_beams 1).
std::optional<CtcLanguage> read_language(const ModelFile &file, const CtcSpec &spec, uint32_t n_beams) {
  auto words = NgramModel::read(file);
  if (n_beams > (words ? CtcSearch::kMaxBeams : 1))
    fail(ErrorCode::InvalidArgument, n_beams, " beams, expected ",
         words ? concat("1 to ", CtcSearch::kMaxBeams)
               : "1: this model has no language model, its words are read off frame by frame");
  if (!words || n_beams == 1) return {};
  if (!spec.has_delimiter())
    fail(ErrorCode::InvalidFile, file.path(),
         ": fovea.ngram has words, but no class of fovea.transcribe.ctc.tokens is between words");
  CtcLanguage language{std::move(*words), CtcSearchSettings::read(file)};
  if (n_beams != 0) language.settings.n_beams = n_beams;
  return language;
}

class CtcTranscription final : public Transcription {
public:
  CtcTranscription(CtcSpec spec, Session session, bool profiling, std::optional<CtcLanguage> language)
      : ear_(std::move(spec), std::move(session), profiling, std::move(language)) {}

  Transcript transcribe(AudioSource &audio, const TranscribeOptions &options,
                        const TranscribeCallbacks &callbacks) override;
  uint32_t sample_rate_hz() const override { return spec_.sample_rate_hz; }
  bool multilingual() const override { return false; }
  const std::vector<std::string> &languages() const override { return no_languages_; }
  MemoryUse memory() const override { return ear_.session().memory(); }
  std::vector<ProfileRow> profile() const override { return ear_.profile(); }
  std::unique_ptr<Listener> listen(const TranscribeOptions &options) override {
    check(options);
    return std::make_unique<CtcListener>(
        spec_,
        [this, cancel = options.cancel](std::span<const float> samples) {
          return ear_.hear(samples, cancel);
        },
        options.timestamps, [this](size_t n_samples) { return ear_.is_ready(n_samples); });
  }

private:
  uint64_t count_samples(AudioSource &audio, const TranscribeOptions &options);

  CtcEar ear_;
  const CtcSpec &spec_ = ear_.spec();
  std::vector<std::string> no_languages_;
};

Transcript CtcTranscription::transcribe(AudioSource &audio, const TranscribeOptions &options,
                                        const TranscribeCallbacks &callbacks) {
  check(options);
  Transcript out;
  out.language_probability = 0;
  TranscribeTimings &t = out.timings;
  const auto seconds = [&](uint64_t n_samples) { return double(n_samples) / spec_.sample_rate_hz; };
  const auto add = [&](std::optional<TranscriptSegment> segment) {
    if (!segment) return;
    out.segments.push_back(std::move(*segment));
    if (callbacks.segment) callbacks.segment(out.segments.back());
  };
  {
    const Stopwatch whole(t.total_s);
    double total_s = 0;
    if (callbacks.progress) { // which is of a whole
      const Stopwatch watch(t.peak_s);
      total_s = seconds(count_samples(audio, options));
      callbacks.progress({0, total_s});
    }
    // One sample more tells whether a window is the last.
    Recording recording(audio, WindowSizes{spec_.sample_rate_hz, spec_.window_samples, 0, 1});
    CtcReader reader(spec_);
    CtcSegmenter segmenter(spec_, options.timestamps);
    bool is_last = false;
    for (uint64_t start = 0; !is_last; start += spec_.window_samples - 2 * spec_.overlap_samples) {
      check_cancelled(options);
      std::span<const float> window;
      {
        const Stopwatch watch(t.features_s);
        window = recording.window(start);
      }
      const uint64_t n_samples = recording.n_samples();
      if (n_samples == 0) fail(ErrorCode::InvalidArgument, audio.name(), ": the recording has no samples");
      is_last = n_samples <= start + spec_.window_samples;
      const auto n = size_t(std::min<uint64_t>(spec_.window_samples, n_samples - start));
      std::vector<CtcFrame> frames;
      {
        const Stopwatch watch(t.encode_s);
        frames = ear_.hear(window.first(n), options.cancel);
      }
      ++t.n_windows;
      const size_t overlap = spec_.overlap_samples / spec_.hop_samples;
      const size_t end = is_last ? frames.size() : spec_.window_samples / spec_.hop_samples - overlap;
      const size_t begin = start == 0 ? 0 : std::min(overlap, end);
      for (CtcWord &word : reader.push(std::span(frames).subspan(begin, end - begin)))
        add(segmenter.add(std::move(word)));
      if (!options.timestamps && !is_last) add(segmenter.flush());
      t.audio_s = seconds(is_last ? n_samples : start + spec_.window_samples - spec_.overlap_samples);
      if (callbacks.progress) callbacks.progress({t.audio_s, std::max(t.audio_s, total_s)});
    }
    for (CtcWord &word : reader.finish()) add(segmenter.add(std::move(word)));
    add(segmenter.flush());
    t.n_tokens = reader.n_tokens();
  }
  return out;
}

uint64_t CtcTranscription::count_samples(AudioSource &audio, const TranscribeOptions &options) {
  std::vector<float> block(kBlockSamples);
  audio.rewind();
  for (uint64_t n_samples = 0;;) {
    check_cancelled(options);
    const size_t n = audio.read(block);
    n_samples += n;
    if (n < block.size()) return n_samples;
  }
}

} // namespace

std::unique_ptr<Transcription> make_ctc_transcription(std::shared_ptr<vk::Device> device,
                                                      std::shared_ptr<const Model> model,
                                                      std::shared_ptr<const DeviceWeights> weights,
                                                      const TranscriberOptions &options) {
  CtcSpec spec = CtcSpec::read(model->file());
  check_ctc_graph(*model, spec);
  std::optional<CtcLanguage> language = read_language(model->file(), spec, options.n_beams);
  SessionOptions session;
  session.timestamps = options.timestamps;
  session.adjust_caps = options.adjust_caps;
  return std::make_unique<CtcTranscription>(
      std::move(spec), Session(std::move(device), std::move(model), std::move(weights), std::move(session)),
      options.timestamps, std::move(language));
}

} // namespace fovea
