#include "model_arguments.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace tool {
namespace {

/// `is_right` takes a finite number.
template <class Check> CLI::Validator number_that(Check is_right, const std::string &wanted) {
  return CLI::Validator(
      [=](const std::string &text) {
        char *end = nullptr;
        const float value = std::strtof(text.c_str(), &end);
        const bool is_number = end != text.c_str() && !*end && std::isfinite(value);
        return is_number && is_right(value) ? std::string() : "'" + text + "' is not " + wanted;
      },
      "");
}

} // namespace

CLI::Validator number(float least, float most) {
  const bool any = most == std::numeric_limits<float>::max();
  return number_that([=](float v) { return v >= least && v <= most; },
                     any ? "a number" : format("a number from %g to %g", double(least), double(most)));
}

CLI::Validator number_above_zero() {
  return number_that([](float v) { return v > 0; }, "a number above 0");
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string &text) {
        uint64_t value = 0;
        const char *end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, value);
        return error == std::errc() && rest == end
                   ? std::string()
                   : "'" + text + "' is not a whole number from 0 to 18446744073709551615";
      },
      "");
}

CLI::Validator some_text() {
  return CLI::Validator([](const std::string &text) { return text.empty() ? "is an empty text" : ""; }, "");
}

void check_search(uint32_t max_tokens, uint32_t min_tokens) {
  if (max_tokens != 0 && min_tokens > max_tokens)
    throw UsageError(format("--min-tokens %u is more than --max-tokens %u", min_tokens, max_tokens));
}

CLI::Option *add_model(CLI::App &command, ModelArguments &to, const std::string &what,
                       const std::string &note) {
  return command
      .add_option("MODEL", to.model,
                  what + " file (see fovea convert" + (note.empty() ? "" : "; " + note) + ")")
      ->required()
      ->option_text(" ");
}

CLI::Option *add_pretend(CLI::App &command) {
  return command
      .add_option_function<std::string>(
          "--pretend", [](const std::string &profile) { ::setenv("FOVEA_PRETEND", profile.c_str(), 1); },
          "Keep within another device's limits: a name of fovea devices --profiles, or a file")
      ->option_text("PROFILE");
}

void add_device(CLI::App &command, ModelArguments &to) {
  command.add_option("--device", to.device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  add_pretend(command);
  command.add_flag_callback(
      "--no-tuning", [] { ::setenv("FOVEA_TUNING", "off", 1); },
      "Without the choice of kernels that fovea tune measured");
  command.add_flag_callback(
      "--no-check", [] { ::setenv("FOVEA_CHECK", "skip", 1); },
      "Trust the driver: do not try kernels before their first use on a device");
  command.add_flag_callback(
      "--safe", [] { ::setenv("FOVEA_SAFE", "1", 1); },
      "Base kernels only: slower, and what a driver has the least to do wrong in");
  command.add_flag("--no-verify", to.no_verify, "Trust the model file: do not compare it with its checksum");
}

void add_texts(CLI::App &command, std::vector<std::string> &to) {
  command.add_option("TEXT", to, "Texts, each for itself; - reads them from standard input, one a line")
      ->required()
      ->option_text("...");
}

void add_search(CLI::App &command, uint32_t &beams, uint32_t &max_tokens, uint32_t &min_tokens) {
  command.add_option("--beams", beams, "Sequences searched side by side; 1 is greedy (default: the model's)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command.add_option("--max-tokens", max_tokens, "Of each result (default: the model's, else 256)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command.add_option("--min-tokens", min_tokens, "Of each result (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
}

} // namespace tool
