#include "bundled_models.h"
#include "live_command.h"
#include "microphone.h"
#include "model_arguments.h"

#include <fovea/audio.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

namespace tool {
namespace {

namespace fs = std::filesystem;

constexpr float kOff = std::numeric_limits<float>::quiet_NaN();

struct Arguments : ModelArguments {
  std::string output;
  std::vector<std::string> audio;
  std::string format_name; // "": by the ending of `output`
  TranscriptFormat format = TranscriptFormat::Text;
  fovea::TranscribeOptions options;
  std::string language, prompt, condition; // "": on
  uint32_t beam = 0;
  bool no_fallback = false, no_timestamps = false, translate = false, quiet = false;
  bool microphone = false, realtime = false;
  std::string microphone_name;
  std::optional<float> pause_s, partial_s;
  bool is_live() const { return microphone || realtime; }
};

TranscriptFormat parse_format(const std::string &name) {
  return name == "srt"    ? TranscriptFormat::Srt
         : name == "vtt"  ? TranscriptFormat::Vtt
         : name == "json" ? TranscriptFormat::Json
                          : TranscriptFormat::Text;
}

const char *extension(TranscriptFormat format) {
  switch (format) {
  case TranscriptFormat::Text: break;
  case TranscriptFormat::Srt: return ".srt";
  case TranscriptFormat::Vtt: return ".vtt";
  case TranscriptFormat::Json: return ".json";
  }
  return ".txt";
}

bool makes_folder(const Arguments &a) { return !a.output.empty() && a.output.back() == '/'; }

bool is_folder(const Arguments &a) {
  std::error_code ignored;
  return makes_folder(a) || (!a.output.empty() && fs::is_directory(a.output, ignored));
}

TranscriptFormat wanted_format(const Arguments &a) {
  if (!a.format_name.empty()) return parse_format(a.format_name);
  if (is_folder(a)) return TranscriptFormat::Text;
  std::string ending = fs::path(a.output).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  for (const auto format : {TranscriptFormat::Srt, TranscriptFormat::Vtt, TranscriptFormat::Json})
    if (ending == extension(format)) return format;
  return TranscriptFormat::Text;
}

/// A folder for results, made when the first one is there to be written and taken away again when none
/// stayed.
class OutputFolder {
public:
  ~OutputFolder() {
    std::error_code ignored;
    for (auto made = made_.rbegin(); made != made_.rend(); ++made)
      fs::remove(*made, ignored); // only if empty
  }
  void make(const fs::path &folder) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) return;
    make(folder.parent_path());
    if (fs::create_directory(folder, error)) made_.push_back(folder);
    if (error) fail(FOVEA_IO, {folder.string(), ": cannot be made: ", error.message()});
  }

private:
  std::vector<fs::path> made_;
};

/// Where each recording's text goes; "" is stdout.
std::vector<std::string> output_paths(const Arguments &a) {
  const bool several = a.audio.size() > 1;
  if (several && !a.output.empty() && !is_folder(a))
    throw UsageError("-o must be a folder for several recordings (" + a.output +
                     " is not one; end it in / to make it)");
  if (several && a.output.empty() && (a.format == TranscriptFormat::Srt || a.format == TranscriptFormat::Vtt))
    throw UsageError("subtitles of several recordings need -o FOLDER");
  if (!is_folder(a)) return std::vector<std::string>(a.audio.size(), a.output);
  std::vector<std::string> paths;
  std::set<std::string> taken;
  for (const std::string &audio : a.audio) {
    const std::string stem = audio == "-" ? "stdin" : fs::path(audio).stem().string();
    paths.push_back((fs::path(a.output) / (stem + extension(a.format))).string());
    if (!taken.insert(paths.back()).second)
      throw UsageError("two recordings would both be written to " + paths.back());
  }
  return paths;
}

std::string summary(const std::string &name, const fovea::Transcript &transcript) {
  const fovea_transcribe_timings &t = transcript.timings();
  const std::string language = transcript.language();
  return format("%s: %.1f s of audio in %.2f s, real-time factor %.2f%s", name.c_str(), t.audio_s, t.total_s,
                t.audio_s > 0 ? t.total_s / t.audio_s : 0.0,
                language.empty() ? "" : (", language " + language).c_str());
}

void transcribe_one(const Arguments &a, fovea::Transcriber &transcriber, const std::string &path,
                    const std::string &output, OutputFolder &folder) {
  auto reader = fovea::AudioReader::open(path, transcriber.sample_rate_hz()).value();
  if (makes_folder(a)) folder.make(fs::path(output).parent_path());
  ProgressBar bar(path == "-" ? "standard input" : path);
  TranscriptWriter writer(a.format, path, output, a.audio.size() > 1);
  fovea::TranscribeCallbacks callbacks;
  callbacks.segment = [&](const fovea_segment &segment) {
    bar.clear();
    writer.segment(segment);
    return true;
  };
  callbacks.progress = [&](double done, double total) {
    bar.show(done, total, format("%.0f of %.0f s", done, total));
    return true;
  };
  const auto transcript = transcriber.transcribe(reader.source(), a.options, callbacks).value();
  bar.clear();
  writer.finish(transcript);
  if (!a.quiet) std::fprintf(stderr, "%s\n", summary(path, transcript).c_str());
}

void check_live(const Arguments &a) {
  if (a.microphone && a.realtime) throw UsageError("--realtime is of a recording, --mic has none");
  if (a.microphone && !a.audio.empty())
    throw UsageError("--mic listens to a microphone, not to " + a.audio.front());
  if (!a.microphone && a.audio.empty()) throw UsageError("AUDIO missing; --mic listens to a microphone");
  if (a.realtime && a.audio.size() > 1) throw UsageError("--realtime takes one recording");
  if (a.realtime && a.audio.front() == "-")
    throw UsageError("--realtime: standard input is read whole before it is heard; give a file, or --mic");
  if (!a.microphone && !a.microphone_name.empty()) throw UsageError("--mic-device goes with --mic");
  if (!a.is_live() && a.pause_s) throw UsageError("--pause goes with --mic or --realtime");
  if (!a.is_live() && a.partial_s) throw UsageError("--partial goes with --mic or --realtime");
  if (a.is_live() && !a.condition.empty())
    throw UsageError(
        "--condition has no effect with --mic and --realtime: each utterance is heard by itself");
  if (a.is_live() && makes_folder(a)) throw UsageError("-o must be a file: " + a.output + " is a folder");
}

int transcribe_live(const Arguments &a, fovea::Transcriber &transcriber) {
  LiveArguments live;
  live.microphone = a.microphone;
  live.device = a.microphone_name;
  if (a.realtime) live.recording = a.audio.front();
  live.format = a.format;
  live.output = a.output;
  live.quiet = a.quiet;
  live.options.transcribe = &a.options;
  if (a.pause_s) live.options.pause_s = *a.pause_s;
  if (a.partial_s) live.options.partial_s = *a.partial_s;
  return transcribe_live(transcriber, live);
}

int transcribe(Arguments &a) {
  default_speech_model(a.model, a.audio, a.microphone);
  check_live(a);
  a.format = wanted_format(a);
  const std::vector<std::string> outputs = output_paths(a);
  for (const std::string &output : outputs) {
    refuse_input(output, {a.model});
    refuse_input(output, a.audio);
  }
  fovea::TranscribeOptions &o = a.options;
  if (!a.language.empty() && a.language != "auto") o.language = a.language.c_str();
  if (!a.prompt.empty()) o.prompt = a.prompt.c_str();
  o.translate = a.translate;
  o.timestamps = !a.no_timestamps;
  o.fallback = !a.no_fallback;
  o.condition_on_previous = a.condition != "off";
  if (!a.is_live()) o.cancel = interrupt().get(); // else it ends the sound, not the hearing

  fovea::TranscriberOptions made;
  made.beam = a.beam;
  auto transcriber = open_task<fovea::Transcriber>(a, made);

  if (a.is_live()) return transcribe_live(a, transcriber);

  int exit_code = kOk;
  OutputFolder folder;
  for (size_t i = 0; i < a.audio.size(); ++i) {
    try {
      transcribe_one(a, transcriber, a.audio[i], outputs[i], folder);
    } catch (const fovea::Error &e) {
      // A bad recording does not keep the others from being transcribed; anything else would repeat itself.
      const bool is_about_the_file = e.status() == FOVEA_NOT_FOUND || e.status() == FOVEA_INVALID_FILE ||
                                     e.status() == FOVEA_INVALID_ARGUMENT || e.status() == FOVEA_IO;
      if (!is_about_the_file || i + 1 == a.audio.size()) throw;
      print_error(e.what());
      exit_code = kError;
    }
  }
  return exit_code;
}

/// An option for a threshold: a number, or "off".
void add_threshold(CLI::App *command, const char *name, float *value, const char *help) {
  command
      ->add_option_function<std::string>(
          name,
          [value, name](const std::string &text) {
            char *end = nullptr;
            const float number = text == "off" ? kOff : std::strtof(text.c_str(), &end);
            if (end && (*end || end == text.c_str() || !std::isfinite(number)))
              throw CLI::ValidationError(std::string(name) + ": '" + text + "' is neither a number nor off");
            *value = number;
          },
          help)
      ->type_name("NUMBER|off");
}

} // namespace

void add_transcribe(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("transcribe", "Write down what is said in recordings");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A speech model", "default: speech-en, which comes with the tool")
      ->required(false)
      ->type_name(kSpeechModel);
  command->add_option("AUDIO", a->audio, "WAV, FLAC, OGG, MP3 … of any rate and length; - is standard input")
      ->option_text("...");
  command->add_flag("--mic", a->microphone, "Listen to the microphone, until Ctrl-C");
  command
      ->add_option("--mic-device", a->microphone_name,
                   "The microphone: its number, or part of its name (default: the system's)")
      ->check(some_text())
      ->option_text("NAME");
  command
      ->add_flag_function(
          "--list-mics",
          [](std::int64_t) {
            print(Microphone::list());
            throw CLI::Success();
          },
          "List the microphones and exit")
      ->trigger_on_parse();
  command->add_flag("--realtime", a->realtime, "Feed the recording at its own pace, as a microphone would");
  command->add_option("--pause", a->pause_s, "Silence that ends what is said, in seconds (default: 0.6)")
      ->check(number(0.2f, 5))
      ->option_text("SECONDS");
  command
      ->add_option("--partial", a->partial_s,
                   "Show text that may still change so often; 0: not at all (default: 0.5)")
      ->check(number(0, 3600))
      ->option_text("SECONDS");
  command
      ->add_option("-f,--format", a->format_name,
                   "text, srt, vtt or json (default: as PATH of -o ends, else text)")
      ->check(CLI::IsMember({"text", "srt", "vtt", "json"}))
      ->option_text("FORMAT");
  command
      ->add_option("-o,--output", a->output,
                   "File, or folder for several recordings (default: standard output)")
      ->option_text("PATH");
  command->add_option("-l,--language", a->language, "en, de …, or auto (default: detected)")
      ->option_text("CODE");
  command->add_flag("--translate", a->translate, "Into English");
  command
      ->add_option("--beam", a->beam,
                   "Search this many sequences side by side; 1 is greedy, without a CTC model's language "
                   "model (default: the model's, else 1)")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  command->add_option("--best-of", a->options.best_of, "Samples tried at temperatures above 0 (default: 5)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command
      ->add_option("--temperature", a->options.temperature,
                   "0: the most likely words; above: sampled (default: 0)")
      ->check(number(0, 10))
      ->option_text("NUMBER");
  command->add_flag("--no-fallback", a->no_fallback,
                    "Do not try again at higher temperatures what fails a threshold");
  command->add_flag("--no-timestamps", a->no_timestamps, "One segment for each window (of 30 s)");
  command->add_option("--prompt", a->prompt, "Text that might stand before: names, spelling, style")
      ->option_text("TEXT");
  command
      ->add_option("--condition", a->condition,
                   "Give each window the text before it: on or off (default: on)")
      ->check(CLI::IsMember({"on", "off"}))
      ->option_text("on|off");
  add_threshold(command, "--no-speech-threshold", &a->options.no_speech_threshold,
                "Above it a window with improbable text is silence (default: 0.6)");
  add_threshold(command, "--logprob-threshold", &a->options.logprob_threshold,
                "Text with a lower mean log-probability is tried again (default: -1)");
  add_threshold(command, "--compression-ratio-threshold", &a->options.compression_ratio_threshold,
                "Text that compresses better repeats itself and is tried again (default: 2.4)");
  command
      ->add_option("--max-tokens", a->options.max_tokens,
                   "Of one 30 s window (default: half of the model's context)")
      ->option_text("N");
  command
      ->add_option("--patience", a->options.patience,
                   "The beam search ends with beam x patience sequences (default: 1)")
      ->check(number_above_zero())
      ->option_text("NUMBER");
  command->add_option("--seed", a->options.seed, "Of sampling (default: 0)")
      ->check(whole_number())
      ->option_text("N");
  add_device(*command, *a);
  command->add_flag("-q,--quiet", a->quiet, "No summary on stderr");
  command->footer(R"(
Segments are printed as they are decided; progress and the real-time factor go to stderr. With several
recordings, a bad one is reported and the rest are done; the exit code is then 1. CTC models (wav2vec 2.0)
write what they hear letter by letter, and with a language model the likeliest words: they take no language,
translation, temperature or prompt, and have no use for the options of windows that are tried again.

With --mic and --realtime, text is written while it is spoken: settled text line by line, once the speaker
pauses or the model is sure; text that may still change in the terminal's last line. JSON is then one object
a line, of type final or partial. Ctrl-C ends the sound, and all that was said is written before the exit.
Example:
  fovea transcribe tiny.en.fovea.gguf talk.mp3 -o talk.srt
  fovea transcribe tiny.en.fovea.gguf --mic)");
  command->callback([&exit_code, a] { exit_code = transcribe(*a); });
}

} // namespace tool
