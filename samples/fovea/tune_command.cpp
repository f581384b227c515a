#include "bundled_models.h"
#include "model_arguments.h"

#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments : ModelArguments {
  std::vector<std::string> models;
  bool check = false, clear = false, as_json = false;
};

/// What --check allows the choice in use to be slower than the best candidate.
constexpr double kAllowed = 1.15;

std::string line_of(const Json &choice, bool check) {
  const double ratio = choice["best_ratio"].get<double>(), us = choice["default_us"].get<double>();
  const std::string own = choice["default"], best = choice["best"], preferred = choice["preferred"];
  std::string text = format("%10.1f us %4u  %-44s %-36s ", us, choice["dispatches"].get<unsigned>(),
                            choice["shapes"].get<std::string>().c_str(), own.c_str());
  if (own == best) return text + "is the best\n";
  text += format("%.2f x with ", 1 / ratio) + best;
  if (check) return text + (1 / ratio > kAllowed ? "  SLOW\n" : "\n");
  if (preferred == own) return text + ", within the noise or not for all of the class\n";
  return text + (preferred == best ? ", chosen\n" : ", " + preferred + " is chosen\n");
}

/// A table for people; how many choices are slower than --check allows.
size_t show(const Json &report, bool check) {
  std::string text = report["device"].get<std::string>() + ", " + report["driver"].get<std::string>() + "\n" +
                     format("%13s %4s  %-44s %-36s %s\n", "one takes", "n", "shapes",
                            check ? "in use" : "default", "fastest");
  size_t n_slow = 0;
  for (const Json &choice : report["choices"]) {
    text += line_of(choice, check);
    n_slow += 1 / choice["best_ratio"].get<double>() > kAllowed;
    for (const Json &variant : choice["variants"])
      if (variant.contains("fault")) text += "  never chosen: " + variant["fault"].get<std::string>() + "\n";
  }
  if (check)
    text += format("%zu of %zu choices take over %.0f %% longer than the best candidate\n", n_slow,
                   report["choices"].size(), (kAllowed - 1) * 100);
  else
    text += format("%llu rows in ", (unsigned long long)report["rows"].get<uint64_t>()) +
            report["table"].get<std::string>() + "\n";
  print(text);
  return n_slow;
}

int tune(const Arguments &a) {
  if (a.clear && (a.check || !a.models.empty()))
    throw UsageError("--clear removes the table: it takes no model and no --check");
  const auto device = open_device(a.device);
  if (a.clear) {
    fovea::tune_clear(device).value();
    return kOk;
  }
  fovea::TuneOptions options;
  options.verify = !a.no_verify;
  options.check = a.check;
  options.cancel = interrupt().get();
  ProgressBar bar("measuring");
  options.user = &bar;
  options.on_choice = [](void *user, const char *what, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, what);
  };
  std::vector<std::string> models = a.models;
  if (models.empty()) models.push_back("");
  Json reports = Json::array();
  size_t n_slow = 0;
  for (const std::string &model : models) {
    const std::string path = model.empty() ? model : find_model(model);
    Json report = Json::parse(fovea::tune(device, path, options).value());
    bar.clear();
    if (a.as_json)
      reports.push_back(std::move(report));
    else
      n_slow += show(report, a.check);
  }
  if (a.as_json) print(reports.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (a.check && n_slow > 0)
    fail(FOVEA_UNSUPPORTED,
         {format("%zu choices are slow on this device; fovea tune stores better ones", n_slow)});
  return kOk;
}

} // namespace

void add_tune(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand(
      "tune", "Measure on this device which kernels are the fastest, and use them from then on");
  const auto a = std::make_shared<Arguments>();
  command->add_option("MODEL", a->models, "Model files (see fovea convert); none: a standard set of shapes")
      ->type_name(kSpeechModel)
      ->option_text("...");
  command->add_flag("--check", a->check,
                    "Store nothing; an error where what is in use takes over 15 % longer than the best");
  command->add_flag("--clear", a->clear, "Remove what was stored for this device");
  command->add_flag("--json", a->as_json,
                    "As JSON: every candidate, its time by the default's, and the noise");
  add_device(*command, *a);
  command->footer(R"(
Every choice among kernels that the models' stages make is measured with all kernels that could do the same, in
turn, on the models' own weights; a few minutes for a model. What gives other results is never chosen and is
reported. What is faster than the default by more than the noise, in two rounds, is stored beside the compiled
pipelines (FOVEA_CACHE_DIR), for this device, driver and version of Fovea alone; models opened later use it.
--no-tuning, or FOVEA_TUNING=off, runs without it.
Example:
  fovea tune llama.fovea.gguf
  fovea tune
  fovea tune --check --no-tuning llama.fovea.gguf
  fovea tune --clear)");
  command->callback([&exit_code, a] { exit_code = tune(*a); });
}

} // namespace tool
