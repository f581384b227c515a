// What the commands that run a model have in common: the same options with the same words, and the model
// opened with a bar while its weights are loaded.
#pragma once

#include "commands.h"
#include "console.h"

#include <limits>

namespace tool {

struct ModelArguments {
  std::string model, device;
  bool no_verify = false;
};

/// The type of a MODEL that may be a speech model: completion offers those that come with the tool.
inline constexpr const char *kSpeechModel = "SPEECH_MODEL";

/// MODEL, as the first argument; `note` is added to its help.
CLI::Option *add_model(CLI::App &command, ModelArguments &to, const std::string &what,
                       const std::string &note = "");
/// --device, --pretend, --no-tuning, --no-check, --safe and --no-verify.
void add_device(CLI::App &command, ModelArguments &to);
/// --pretend, in place of FOVEA_PRETEND.
CLI::Option *add_pretend(CLI::App &command);
/// TEXT…
void add_texts(CLI::App &command, std::vector<std::string> &to);
/// --beams, --max-tokens and --min-tokens of texts that are searched for.
void add_search(CLI::App &command, uint32_t &beams, uint32_t &max_tokens, uint32_t &min_tokens);

/// Checks of an option's value; what fails them is a wrong command line. A finite number (CLI::Range lets NaN
/// pass), as a float:
CLI::Validator number(float least = std::numeric_limits<float>::lowest(),
                      float most = std::numeric_limits<float>::max());
CLI::Validator number_above_zero();
/// Digits alone, of 64 bits: CLI11 takes -1 for the largest.
CLI::Validator whole_number();
/// Not the empty text.
CLI::Validator some_text();
/// UsageError when both are given and contradict each other.
void check_search(uint32_t max_tokens, uint32_t min_tokens);

/// A task (fovea::Translator …) made with `options`, whose progress and user are taken. Error CANCELLED.
template <class Task, class Options> Task open_task(const ModelArguments &a, Options options) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  options.user = &bar;
  options.progress = [](void *user, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, bytes_text(total));
    return int(interrupt().requested());
  };
  return Task::create(device, model, options).value();
}
/// One that has no options (fovea::Detector …).
template <class Task> Task open_task(const ModelArguments &a) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  return Task::create(device, model,
                      [&](double done, double total) {
                        bar.show(done, total, bytes_text(total));
                        return !interrupt().requested();
                      })
      .value();
}

} // namespace tool
