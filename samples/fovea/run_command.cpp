#include "model_arguments.h"
#include "profile_table.h"
#include "safetensors.h"

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::string in, out, graph;
  std::vector<std::string> steps, offers;
  bool attention = false, profile = false;
};

int run(const Arguments &a) {
  refuse_input(a.out, {a.model, a.in}, "--out");
  std::vector<std::pair<std::string, uint64_t>> named;
  for (const std::string &step : a.steps) named.push_back(parse_assignment(step, "--step"));
  std::vector<fovea_size> steps;
  for (const auto &[name, value] : named) steps.push_back({name.c_str(), value});
  const std::vector<OwnedTensor> given = read_safetensors(a.in);
  std::vector<fovea_tensor> inputs;
  for (const OwnedTensor &t : given) inputs.push_back(t.view());

  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  const auto progress = [&](double done, double total) {
    bar.show(done, total, bytes_text(total));
    return !interrupt().requested();
  };
  auto session = fovea::Session::create(device, model, progress, a.profile).value();
  bar.clear();
  fovea::RunOptions options;
  if (!a.graph.empty()) options.graph = a.graph.c_str();
  options.steps = steps.data();
  options.n_steps = steps.size();
  options.cancel = interrupt().get();
  std::vector<const char *> offers;
  for (const std::string &name : a.offers) offers.push_back(name.c_str());
  if (a.attention) offers.push_back("*attention*");
  options.offers = offers.data();
  options.n_offers = offers.size();
  const auto results = session.run(inputs, options).value();
  std::vector<fovea_tensor> outputs;
  for (size_t i = 0; i < results.size(); ++i) outputs.push_back(results[i]);
  write_safetensors(a.out, outputs);
  if (a.profile) print(profile_table(session.profile().value()));
  return kOk;
}

} // namespace

void add_run(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("run", "Run a model's graphs on tensors from a safetensors file");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A model")->type_name(kSpeechModel);
  command->add_option("--in", a->in, "Safetensors file with the inputs, by name")
      ->required()
      ->option_text("FILE REQUIRED");
  command->add_option("--out", a->out, "Safetensors file to write every output to")
      ->required()
      ->option_text("FILE REQUIRED");
  command->add_option("--graph", a->graph, "Run this graph (default: those that the model names, in order)")
      ->option_text("NAME");
  command->add_option("--step", a->steps, "Value of a step, e.g. pos=3 (default: 0)")
      ->type_name("NAME=NUMBER");
  command->add_flag("--attention", a->attention, "Write the attention weights of every layer too");
  command->add_option("--offer", a->offers, "Write this output too, which the model only gives on request")
      ->option_text("NAME");
  command->add_flag("--profile", a->profile, "Print where the device's time went");
  add_device(*command, *a);
  command->footer(R"(
A leading dimension of 1 may be left out or added; 64-bit integers are narrowed. A graph whose outputs are
all among the inputs is left out. An error about the inputs says what the model takes.
Example:
  fovea run tiny.en.fovea.gguf --in in.safetensors --out out.safetensors)");
  command->callback([&exit_code, a] { exit_code = run(*a); });
}

} // namespace tool
