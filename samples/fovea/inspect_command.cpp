#include "bundled_models.h"
#include "commands.h"
#include "console.h"
#include "model_arguments.h"

#include <map>

namespace tool {
namespace {

struct Arguments {
  std::string file, graph, plan, device;
  std::vector<std::string> sizes;
  bool tensors = false, metadata = false, verify = false;
  const CLI::Option *pretend = nullptr;
};

std::string shape_text(const fovea_tensor_info &t) {
  std::string text = "[";
  for (uint32_t i = 0; i < t.rank; ++i) text += (i ? ", " : "") + std::to_string(t.shape[i]);
  return text + "]";
}

std::string summary(const fovea::Model &model) {
  std::string text =
      format("file      %s, %s\n", model.path(), bytes_text(double(model.file_bytes())).c_str());
  if (const auto name = model.metadata_text("general.name")) text += "name      " + *name + "\n";
  if (*model.task()) text += format("task      %s\n", model.task());
  std::map<std::string, std::pair<size_t, uint64_t>> encodings;
  for (size_t i = 0; i < model.n_tensors(); ++i) {
    auto &[count, bytes] = encodings[model.tensor(i).encoding];
    ++count;
    bytes += model.tensor(i).bytes;
  }
  text += format("tensors   %zu\n", model.n_tensors());
  for (const auto &[encoding, use] : encodings)
    text += format("          %-4s %5zu  %s\n", encoding.c_str(), use.first,
                   bytes_text(double(use.second)).c_str());
  text += "graphs   ";
  for (size_t i = 0; i < model.n_graphs(); ++i) text += std::string(" ") + model.graph_name(i);
  return text + format("\nmetadata  %zu entries\n", model.n_metadata());
}

std::string metadata_text(const fovea::Model &model) {
  std::string text;
  for (size_t i = 0; i < model.n_metadata(); ++i) {
    const fovea_metadata &entry = model.metadata(i);
    text += format("%-44s %-7s ", entry.key, entry.type) + entry.preview + "\n";
  }
  return text;
}

std::string tensors_text(const fovea::Model &model) {
  std::string text;
  for (size_t i = 0; i < model.n_tensors(); ++i) {
    const fovea_tensor_info &t = model.tensor(i);
    text += format("%-44s %-4s %-20s %12llu\n", t.name, t.encoding, shape_text(t).c_str(),
                   (unsigned long long)t.bytes);
  }
  return text;
}

std::string graph_text(const fovea::Model &model, const std::string &name) {
  if (const char *text = model.graph_text(name)) return text;
  std::string known;
  for (size_t i = 0; i < model.n_graphs(); ++i) known += std::string(i ? ", " : "") + model.graph_name(i);
  fail(FOVEA_NOT_FOUND, {model.path(), ": no graph '", name, "'; it has ", known});
}

std::string plan_text(const fovea::Model &model, const Arguments &a) {
  std::vector<std::pair<std::string, uint64_t>> named;
  for (const std::string &size : a.sizes) named.push_back(parse_assignment(size, "--size"));
  std::vector<fovea_size> sizes;
  for (const auto &[name, value] : named) sizes.push_back({name.c_str(), value});
  std::optional<fovea::Device> device;
  if (!a.device.empty() || a.pretend->count() > 0) device = open_device(a.device);
  return model.plan(device ? &*device : nullptr, a.plan, sizes).value();
}

int inspect(const Arguments &a) {
  const auto model = fovea::Model::open(find_model(a.file)).value();
  if (!a.sizes.empty() && a.plan.empty()) throw UsageError("--size is of --plan");
  std::string text;
  if (a.verify) {
    model.verify().value();
    text += "checksum  correct\n";
  }
  if (!a.graph.empty()) text += graph_text(model, a.graph);
  if (!a.plan.empty()) text += plan_text(model, a);
  if (a.metadata) text += metadata_text(model);
  if (a.tensors) text += tensors_text(model);
  print(text.empty() || (a.verify && a.graph.empty() && a.plan.empty() && !a.metadata && !a.tensors)
            ? summary(model) + text
            : text);
  return kOk;
}

} // namespace

void add_inspect(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("inspect", "Show what is in a model file");
  const auto a = std::make_shared<Arguments>();
  command->add_option("FILE", a->file, "A model file")->required()->option_text(" ")->type_name(kSpeechModel);
  command->add_option("--graph", a->graph, "Print this graph")->option_text("NAME");
  command->add_flag("--tensors", a->tensors, "List the tensors: name, encoding, shape, bytes");
  command->add_flag("--metadata", a->metadata, "List the metadata");
  command
      ->add_option(
          "--plan", a->plan,
          "Print what this graph becomes on a device, one line per dispatch; without --device on the least "
          "device that Fovea supports")
      ->option_text("NAME");
  command->add_option("--size", a->sizes, "A size of --plan, e.g. T=4 (default: 1)")
      ->type_name("NAME=NUMBER");
  command->add_option("--device", a->device, "Plan for this device: its number, or part of its name")
      ->option_text("DEVICE");
  a->pretend = add_pretend(*command);
  command->add_flag("--verify", a->verify, "Compare the whole file with its checksum");
  command->footer(R"(
Example:
  fovea inspect tiny.en.fovea.gguf --graph encode)");
  command->callback([&exit_code, a] { exit_code = inspect(*a); });
}

} // namespace tool
