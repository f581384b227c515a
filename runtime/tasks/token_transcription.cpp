// Words token after token: windows whose start follows the timestamps that the model writes (transcribe.h).
#include "tasks/transcription.h"

#include "tasks/decode_window.h"
#include "tasks/language.h"
#include "tasks/load_tokenizer.h"
#include "tasks/recording.h"
#include "tasks/segments.h"
#include "tasks/token_listener.h"
#include "tasks/trimmed.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace fovea {
namespace {

constexpr uint32_t kMaxBeams = 15;
constexpr size_t kMaxTemperatures = 64;
constexpr uint32_t kMaxBestOf = 64;
// Text written at a higher temperature is no prompt for the next window.
constexpr float kMaxPromptTemperature = 0.5f;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void check(const SpeechSpec &spec, const TranscribeOptions &o) {
  const auto reject = [](auto &&...what) { fail(ErrorCode::InvalidArgument, what...); };
  if (o.temperatures.empty() || o.temperatures.size() > kMaxTemperatures)
    reject(o.temperatures.size(), " temperatures, expected 1 to ", kMaxTemperatures);
  for (const float t : o.temperatures)
    if (!(t >= 0 && t <= 100)) reject("temperature ", t, ", expected 0 to 100");
  if (o.best_of < 1 || o.best_of > kMaxBestOf)
    reject("best of ", o.best_of, " samples, expected 1 to ", kMaxBestOf);
  if (!(o.patience > 0 && o.patience <= 100))
    reject("patience ", o.patience, ", expected more than 0 and at most 100");
  if (o.length_penalty && !(std::abs(*o.length_penalty) <= 10))
    reject("length penalty ", *o.length_penalty, ", expected 0 to 1");
  for (const auto &threshold : {o.compression_ratio_threshold, o.logprob_threshold, o.no_speech_threshold})
    if (threshold && std::isnan(*threshold)) reject("a threshold is not a number");
  if (std::isnan(o.max_initial_timestamp_s)) reject("the largest initial timestamp is not a number");
  if (o.translate && (!spec.multilingual || spec.translate == SpeechSpec::kNone))
    reject("this model cannot translate: it is ",
           spec.multilingual ? "made for transcribing" : "English-only");
  if (!o.initial_prompt.empty() && spec.previous == SpeechSpec::kNone)
    reject("this model takes no initial prompt: it has no token for previous text");
  if (!o.language.empty()) find_language(spec, o.language);
}

/// One call of transcribe(): the loop over windows.
class Windows {
public:
  Windows(SpeechSession &session, const Tokenizer &tokenizer, AudioSource &audio,
          const TranscribeOptions &options, const TranscribeCallbacks &callbacks)
      : session_(session), spec_(session.spec()), tokenizer_(tokenizer), audio_(audio), options_(options),
        callbacks_(callbacks), rules_(spec_, options.timestamps, max_initial()), random_(options.seed),
        decoder_(session_, tokenizer_, rules_, random_) {
    decode_options_ = {options.temperatures,
                       options.compression_ratio_threshold,
                       options.logprob_threshold,
                       options.no_speech_threshold,
                       options.best_of,
                       options.patience,
                       options.length_penalty,
                       options.max_tokens_per_window ? options.max_tokens_per_window : spec_.n_context / 2};
    if (const auto prompt = trimmed(options.initial_prompt); !prompt.empty())
      earlier_ = tokenizer_.encode(concat(" ", prompt), {.add_special = false});
  }

  Transcript run() {
    const auto begin = std::chrono::steady_clock::now();
    const auto before = session_.seconds;
    const uint64_t steps_before = session_.n_steps;
    const float peak = find_peak();
    report_progress(0);
    Recording recording(audio_, spec_);
    for (uint64_t frame = 0; frame < n_frames_;) {
      check_cancelled(options_);
      const auto read_begin = std::chrono::steady_clock::now();
      const auto window = recording.window(frame * spec_.hop_samples);
      read_s_ += seconds_since(read_begin);
      session_.encode(session_.features(window, peak));
      if (frame == 0) choose_language();
      frame += transcribe_window(frame);
      report_progress(frame);
    }
    TranscribeTimings &t = transcript_.timings;
    const auto &after = session_.seconds;
    t.peak_s = after.peak - before.peak + peak_read_s_;
    t.features_s = after.features - before.features + read_s_;
    t.encode_s = after.encode - before.encode;
    t.prompt_s = after.prompt - before.prompt;
    t.decode_s = after.decode - before.decode;
    t.total_s = seconds_since(begin);
    t.audio_s = audio_s_;
    t.n_tokens = session_.n_steps - steps_before;
    return std::move(transcript_);
  }

private:
  std::optional<uint32_t> max_initial() const {
    if (options_.max_initial_timestamp_s < 0) return {};
    const double positions =
        double(options_.max_initial_timestamp_s) / (spec_.seconds_per_frame() * spec_.frames_per_position());
    return uint32_t(std::lround(std::min(positions, double(spec_.n_positions))));
  }

  void report_progress(uint64_t frame) const {
    if (callbacks_.progress)
      callbacks_.progress({std::min(double(frame) * spec_.seconds_per_frame(), audio_s_), audio_s_});
  }

  // The first reading: the largest log energy of the whole, and its length.
  float find_peak() {
    Recording recording(audio_, spec_);
    float peak = -INFINITY;
    for (uint64_t start = 0;; start += spec_.window_samples) {
      check_cancelled(options_);
      const auto begin = std::chrono::steady_clock::now();
      const auto window = recording.window(start);
      peak_read_s_ += seconds_since(begin);
      if (start > 0 && recording.n_samples() <= start) break;
      if (recording.n_samples() == 0)
        fail(ErrorCode::InvalidArgument, audio_.name(), ": the recording has no samples");
      peak = std::max(peak, session_.peak(window));
    }
    const uint64_t n_samples = recording.n_samples();
    audio_s_ = double(n_samples) / spec_.sample_rate_hz;
    n_frames_ = std::max<uint64_t>(1, n_samples / spec_.hop_samples);
    return peak;
  }

  void choose_language() {
    if (!options_.language.empty()) {
      language_ = find_language(spec_, options_.language);
    } else if (spec_.multilingual) {
      session_.prompt({&spec_.start, 1}, 0);
      const LanguageGuess guess = detect_language(spec_, session_.last(0));
      language_ = guess.index;
      transcript_.language_probability = guess.probability;
    }
    transcript_.language = spec_.languages[language_];
    if (callbacks_.language) callbacks_.language(transcript_.language, transcript_.language_probability);
  }

  Prompt make_prompt() const {
    Prompt prompt;
    const std::span<const int32_t> text = std::span(earlier_).subspan(prompt_from_);
    if (!text.empty() && spec_.previous != SpeechSpec::kNone) {
      prompt.tokens.push_back(spec_.previous);
      const auto kept = text.last(std::min<size_t>(text.size(), spec_.n_context / 2 - 1));
      prompt.tokens.insert(prompt.tokens.end(), kept.begin(), kept.end());
    }
    prompt.start_at = uint32_t(prompt.tokens.size());
    prompt.tokens.push_back(spec_.start);
    if (spec_.multilingual) {
      prompt.tokens.push_back(spec_.language_tokens[language_]);
      prompt.tokens.push_back(options_.translate ? spec_.translate : spec_.transcribe);
    }
    if (!options_.timestamps && spec_.no_timestamps != SpeechSpec::kNone)
      prompt.tokens.push_back(spec_.no_timestamps);
    return prompt;
  }

  bool is_silent(const DecodedWindow &window) const {
    if (!options_.no_speech_threshold || window.no_speech_prob <= *options_.no_speech_threshold) return false;
    // Probable text is kept, whatever the token for silence says.
    return !options_.logprob_threshold || window.avg_logprob <= *options_.logprob_threshold;
  }

  // The window that starts at `frame`, whose encoder output is in the session. Frames to the next one.
  uint64_t transcribe_window(uint64_t frame) {
    const auto n_frames = uint32_t(std::min<uint64_t>(spec_.n_frames, n_frames_ - frame));
    const DecodedWindow window = decoder_.decode(make_prompt(), decode_options_);
    ++transcript_.timings.n_windows;
    if (is_silent(window)) return n_frames;
    const WindowCut cut = cut_window(spec_, window.tokens, n_frames);
    for (const SegmentCut &piece : cut.segments) add_segment(frame, piece, window);
    if (!options_.condition_on_previous_text || window.temperature > kMaxPromptTemperature)
      prompt_from_ = earlier_.size();
    return cut.advance_frames;
  }

  void add_segment(uint64_t frame, const SegmentCut &piece, const DecodedWindow &window) {
    TranscriptSegment s;
    s.text = text_of(spec_, tokenizer_, piece.tokens);
    // What takes no time or says nothing is no segment.
    if (piece.start_frame == piece.end_frame || trimmed(s.text).empty()) return;
    const auto time = [&](uint32_t from_window) {
      return double(frame + from_window) * spec_.seconds_per_frame();
    };
    const double earliest = transcript_.segments.empty() ? 0 : transcript_.segments.back().end_s;
    s.start_s = std::max(time(piece.start_frame), earliest);
    // The model may place an end in the silence added after the recording.
    s.end_s = std::max(s.start_s, std::min(time(piece.end_frame), audio_s_));
    s.tokens.assign(piece.tokens.begin(), piece.tokens.end());
    s.avg_logprob = window.avg_logprob;
    s.compression_ratio = window.compression_ratio;
    s.no_speech_prob = window.no_speech_prob;
    s.temperature = window.temperature;
    earlier_.insert(earlier_.end(), s.tokens.begin(), s.tokens.end());
    transcript_.segments.push_back(std::move(s));
    if (callbacks_.segment) callbacks_.segment(transcript_.segments.back());
  }

  SpeechSession &session_;
  const SpeechSpec &spec_;
  const Tokenizer &tokenizer_;
  AudioSource &audio_;
  const TranscribeOptions &options_;
  const TranscribeCallbacks &callbacks_;
  TimestampRules rules_;
  Random random_;
  WindowDecoder decoder_;
  DecodeOptions decode_options_;

  double audio_s_ = 0, peak_read_s_ = 0, read_s_ = 0;
  uint64_t n_frames_ = 0;
  size_t language_ = 0;
  std::vector<int32_t> earlier_; // tokens of the initial prompt and of all segments
  size_t prompt_from_ = 0;       // of earlier_, what still prompts
  Transcript transcript_;
};

class TokenTranscription final : public Transcription {
public:
  TokenTranscription(Tokenizer tokenizer, SpeechSession session)
      : tokenizer_(std::move(tokenizer)), session_(std::move(session)) {
    session_.expect();
  }

  Transcript transcribe(AudioSource &audio, const TranscribeOptions &options,
                        const TranscribeCallbacks &callbacks) override {
    check(session_.spec(), options);
    session_.set_cancel(options.cancel);
    return Windows(session_, tokenizer_, audio, options, callbacks).run();
  }
  std::unique_ptr<Listener> listen(const TranscribeOptions &options) override {
    check(session_.spec(), options);
    return std::make_unique<TokenListener>(*this, session_.spec().window_samples, options);
  }
  uint32_t sample_rate_hz() const override { return session_.spec().sample_rate_hz; }
  bool multilingual() const override { return session_.spec().multilingual; }
  const std::vector<std::string> &languages() const override { return session_.spec().languages; }
  MemoryUse memory() const override { return session_.session().memory(); }
  std::vector<ProfileRow> profile() const override { return session_.profile(); }

private:
  Tokenizer tokenizer_;
  SpeechSession session_;
};

} // namespace

std::unique_ptr<Transcription> make_token_transcription(std::shared_ptr<vk::Device> device,
                                                        std::shared_ptr<const Model> model,
                                                        std::shared_ptr<const DeviceWeights> weights,
                                                        const TranscriberOptions &options) {
  const uint32_t n_beams = std::max(options.n_beams, 1u);
  if (n_beams > kMaxBeams) fail(ErrorCode::InvalidArgument, n_beams, " beams, expected 1 to ", kMaxBeams);
  const SpeechSpec spec = SpeechSpec::read(model->file());
  Tokenizer tokenizer = load_tokenizer(model->file(), spec.n_vocabulary);
  const int32_t n_text = spec.has_times() ? spec.time_begin : int32_t(spec.n_vocabulary);
  if (tokenizer.size() < n_text)
    fail(ErrorCode::InvalidFile, model->path(), ": tokenizer.ggml.tokens has ", tokenizer.size(),
         " entries, expected one for each of ", n_text, " ids that are not times");
  check_speech_graphs(*model, spec, n_beams);
  SessionOptions session;
  session.timestamps = options.timestamps;
  session.adjust_caps = options.adjust_caps;
  return std::make_unique<TokenTranscription>(
      std::move(tokenizer), SpeechSession(std::move(device), std::move(model), std::move(weights), spec,
                                          n_beams, std::move(session)));
}

} // namespace fovea
