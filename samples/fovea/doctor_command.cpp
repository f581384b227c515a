#include "bundled_models.h"
#include "model_arguments.h"

#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments : ModelArguments {
  std::vector<std::string> models;
  bool quick = false, clear = false, as_json = false, all = false;
};

/// What was found about one kernel.
struct Summary {
  unsigned n_tried = 0, n_wrong = 0, n_unknown = 0;
  double worst = 0; // error by what is allowed
  double us = 0;
};

std::string name_of(const Json &row) {
  std::string names;
  for (const std::string kernel : row["kernels"]) {
    const std::string name = kernel.substr(0, kernel.find('('));
    if (names.find(name) == names.npos) names += (names.empty() ? "" : " + ") + name;
  }
  return names;
}

std::string detail(const Json &row) {
  std::string kernels;
  for (const std::string kernel : row["kernels"]) kernels += (kernels.empty() ? "" : " ") + kernel;
  std::string text = "  " + row["verdict"].get<std::string>() + "  " + row["statement"].get<std::string>() +
                     "  " + row["shapes"].get<std::string>() + "\n         " + kernels + "\n";
  if (row.contains("fault")) text += "         " + row["fault"].get<std::string>() + "\n";
  return text;
}

double number(const Json &value) { return value.is_number() ? value.get<double>() : 0; }

/// The part of the report about one device and one model, for people.
std::string describe(const Json &report, const std::string &model, bool quick) {
  std::map<std::string, Summary> by_kernel;
  std::string wrong, unknown;
  for (const Json &row : report["rows"]) {
    Summary &s = by_kernel[name_of(row)];
    ++s.n_tried;
    if (number(row["allowed"]) > 0)
      s.worst = std::max(s.worst, number(row["error"]) / number(row["allowed"]));
    s.us += number(row["us"]);
    if (row["verdict"] == "wrong") ++s.n_wrong, wrong += detail(row);
    if (row["verdict"] == "unknown") ++s.n_unknown, unknown += detail(row);
  }
  std::string text =
      report["device"].get<std::string>() + ", " + report["driver"].get<std::string>() + "\n" +
      format("  vendor 0x%x, device 0x%x, driver version 0x%x, key %s\n", report["vendor_id"].get<unsigned>(),
             report["device_id"].get<unsigned>(), report["driver_version"].get<unsigned>(),
             report["key"].get<std::string>().c_str());
  text += "  " + (model.empty() ? std::string("a standard set of ops") : model) + "\n";
  text += format("  %-44s %5s %8s %10s\n", "kernel", "cases", "error*", quick ? "" : "us in all");
  for (const auto &[name, s] : by_kernel)
    text += format("  %-44s %5u %8.3f %10s%s\n", name.c_str(), s.n_tried, s.worst,
                   quick ? "" : format("%.0f", s.us).c_str(),
                   s.n_wrong     ? "  WRONG"
                   : s.n_unknown ? "  not known"
                                 : "");
  text += "  * the largest, by what rounding explains: more than 1 is wrong\n";
  if (!unknown.empty()) text += "could not be found out:\n" + unknown;
  if (!wrong.empty()) text += "WRONG, and not used from now on:\n" + wrong;
  return text +
         format("%u cases: %u wrong, %u not known; ", report["tried"].get<unsigned>(),
                report["wrong"].get<unsigned>(), report["unknown"].get<unsigned>()) +
         (report["verdicts"] == "" ? std::string("nothing is stored without a cache folder")
                                   : "verdicts are in " + report["verdicts"].get<std::string>()) +
         "\n";
}

/// Each is examined: those that can be used, or the one that is named.
std::vector<std::string> devices_of(const Arguments &a) {
  if (!a.all) return {a.device};
  std::vector<std::string> out;
  const auto devices = fovea::DeviceList::list().value();
  for (size_t i = 0; i < devices.size(); ++i)
    if (devices[i].usable)
      out.push_back(std::to_string(devices[i].index));
    else if (!a.as_json)
      print(std::string(devices[i].name) + ": cannot be used: " + devices[i].rejected + "\n");
  return out;
}

int examine(const Arguments &a) {
  if (a.all && !a.device.empty()) throw UsageError("--all takes no --device");
  if (a.clear && !a.models.empty()) throw UsageError("--clear forgets the verdicts: it takes no model");
  Json reports = Json::array();
  unsigned n_wrong = 0;
  for (const std::string &selector : devices_of(a)) {
    const auto device = open_device(selector);
    if (a.clear) {
      fovea::doctor_clear(device).value();
      continue;
    }
    fovea::DoctorOptions options;
    options.verify = !a.no_verify;
    options.quick = a.quick;
    options.cancel = interrupt().get();
    ProgressBar bar("trying");
    options.user = &bar;
    options.on_kernel = [](void *user, const char *what, double done, double total) {
      static_cast<ProgressBar *>(user)->show(done, total, what);
    };
    std::vector<std::string> models = a.models;
    if (models.empty()) models.push_back("");
    for (const std::string &model : models) {
      const std::string path = model.empty() ? model : find_model(model);
      Json report = Json::parse(fovea::doctor(device, path, options).value());
      bar.clear();
      n_wrong += report["wrong"].get<unsigned>();
      if (!a.as_json) print(describe(report, model, a.quick));
      report["model"] = model;
      reports.push_back(std::move(report));
    }
  }
  if (a.as_json && !a.clear) print(reports.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (n_wrong > 0)
    fail(FOVEA_UNSUPPORTED,
         {format("%u cases are wrong on this device: their kernels are not used from now on, and "
                 "what nothing else can do ends in an error that says so",
                 n_wrong)});
  return kOk;
}

} // namespace

void add_doctor(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("doctor", "Check that a device computes what it should");
  const auto a = std::make_shared<Arguments>();
  command
      ->add_option("MODEL", a->models,
                   "Model files (see fovea convert); none: every op, at sizes of real models")
      ->option_text("...");
  command->add_flag("--all", a->all, "Every device there is, not only the one that is used");
  command->add_flag("--quick", a->quick, "At small sizes, without times");
  command->add_flag("--clear", a->clear, "Forget the verdicts on the device");
  command->add_flag("--json", a->as_json, "As JSON: every case with its kernels, error and time");
  add_device(*command, *a);
  command->footer(R"(
Every kernel that the device would run for the models, and every other that could do the same, runs on the
models' shapes, in a process of its own, and is compared with a plain computation on the CPU. What is wrong,
crashes or hangs is not used from then on with this driver; fovea doctor --clear forgets it. The report is made
to be pasted into a bug report. Before a model first uses a kernel the same is done at small sizes, by itself.
Exit code 1 when something is wrong.
Example:
  fovea doctor
  fovea doctor --device 1 llama.fovea.gguf)");
  command->callback([&exit_code, a] { exit_code = examine(*a); });
}

} // namespace tool
