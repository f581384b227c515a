#include "model_arguments.h"
#include "safetensors.h"

#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments : ModelArguments {
  std::string in, graph, against, folder = ".";
  std::vector<std::string> steps;
  unsigned n_statements = 0;
  bool as_json = false;
};

double number(const Json &value) { return value.is_number() ? value.get<double>() : 0; }

/// What was found about one op.
struct Summary {
  unsigned n = 0, n_unknown = 0;
  double worst = 0; // error by what is allowed
  std::string where;
};

std::string list(const Json &names) {
  std::string out;
  for (const std::string name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

std::string describe_fault(const Json &row, const Json &report) {
  return "WRONG: graph " + row["graph"].get<std::string>() + ", " + row["statement"].get<std::string>() +
         "\n  takes    " + row["shapes"].get<std::string>() + "\n  kernels  " + list(row["kernels"]) +
         "\n  " + row["fault"].get<std::string>() + "\n  kept in  " + report["kept"].get<std::string>() +
         " (fovea verify runs it again)\n";
}

std::string describe(const Json &report) {
  std::string text = report["device"].get<std::string>() + ", " + report["driver"].get<std::string>() +
                     "\n  against " + report["against"].get<std::string>();
  if (report["against_driver"] != "") text += ", " + report["against_driver"].get<std::string>();
  text += report["inputs_drawn"].get<bool>() ? "; inputs are drawn at random (--in gives them)\n" : "\n";
  std::map<std::string, Summary> by_op;
  std::string fault;
  for (const Json &row : report["rows"]) {
    if (row["verdict"] == "wrong") {
      fault = describe_fault(row, report);
      continue;
    }
    Summary &s = by_op[row["op"]];
    ++s.n;
    s.n_unknown += row["verdict"] == "unknown";
    const double part = number(row["allowed"]) > 0 ? number(row["error"]) / number(row["allowed"]) : 0;
    if (s.where.empty() || part > s.worst) {
      s.worst = part;
      s.where = row["graph"].get<std::string>() + ": " + row["statement"].get<std::string>();
    }
  }
  if (!by_op.empty()) text += format("  %-18s %10s %8s  %s\n", "op", "statements", "error*", "the worst");
  for (const auto &[op, s] : by_op)
    text += format("  %-18s %10u %8.3f  %s%s\n", op.c_str(), s.n, s.worst, s.where.c_str(),
                   s.n_unknown ? format("; %u not known", s.n_unknown).c_str() : "");
  if (!by_op.empty()) text += "  * the largest, by what rounding explains: more than 1 is wrong\n";
  text += fault + format("%u statements compared: %u wrong, %u not known", report["compared"].get<unsigned>(),
                         report["wrong"].get<unsigned>(), report["unknown"].get<unsigned>());
  if (const auto n = report["left_out"].get<unsigned>()) text += format("; %u left out (--statements)", n);
  if (const auto n = report["inseparable"].get<unsigned>())
    text += format("; %u not compared, for they cannot be run by themselves", n);
  if (report["other_kernels"].get<bool>()) text += "; by other kernels than those that were recorded";
  return text + "\n";
}

int verify(const Arguments &a) {
  std::vector<std::pair<std::string, uint64_t>> named;
  for (const std::string &step : a.steps) named.push_back(parse_assignment(step, "--step"));
  std::vector<fovea_size> steps;
  for (const auto &[name, value] : named) steps.push_back({name.c_str(), value});
  std::vector<OwnedTensor> given;
  if (!a.in.empty()) given = read_safetensors(a.in);
  std::vector<fovea_tensor> inputs;
  for (const OwnedTensor &t : given) inputs.push_back(t.view());

  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  std::optional<fovea::Device> against;
  if (!a.against.empty()) against = open_device(a.against);
  fovea::VerifyOptions options;
  if (against) options.against = against->get();
  if (!a.graph.empty()) options.graph = a.graph.c_str();
  options.folder = a.folder.c_str();
  options.steps = steps.data();
  options.n_steps = steps.size();
  options.n_statements = a.n_statements;
  options.cancel = interrupt().get();
  ProgressBar bar("comparing");
  options.user = &bar;
  options.on_statement = [](void *user, const char *what, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, what);
  };
  const Json report = Json::parse(fovea::verify(device, model, inputs, options).value());
  bar.clear();
  print(a.as_json ? report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : describe(report));
  return report["wrong"] == 0 ? kOk : kError;
}

} // namespace

void add_verify(CLI::App &app, int &exit_code) {
  CLI::App *command =
      app.add_subcommand("verify", "Find the first op of a model that a device computes wrongly");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A model", "or what an earlier fovea verify kept")->type_name(kSpeechModel);
  command->add_option("--in", a->in, "Safetensors file with inputs, by name (default: drawn at random)")
      ->option_text("FILE");
  command->add_option("--graph", a->graph, "This graph (default: those that the model names, in order)")
      ->option_text("NAME");
  command->add_option("--step", a->steps, "Value of a step, e.g. pos=3 (default: 0)")
      ->type_name("NAME=NUMBER");
  command
      ->add_option("--against", a->against,
                   "Compare with what this device computes: its number, or part of its name")
      ->option_text("DEVICE");
  command
      ->add_option("--statements", a->n_statements,
                   "Compare this many of each graph, from its first on (default: all)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command->add_option("-o,--out", a->folder, "Folder to keep what is wrong in (default: here)")
      ->option_text("FOLDER");
  command->add_flag("--json", a->as_json, "As JSON: every statement with its kernels, error and tolerance");
  add_device(*command, *a);
  command->footer(R"(
Each statement of the model's graphs runs by itself on the device, by the kernels that the model uses, with what
a plain computation on the CPU made before it, and is compared with what the CPU makes of it: so the op at
fault is named, and not one that follows from it. The first that is wrong ends it, and is written to a file with
all that it takes, which this command runs again. The CPU takes its time: minutes for a large model.
Exit code 1 when something is wrong.
Example:
  fovea verify llama.fovea.gguf
  fovea verify tiny.en.fovea.gguf --in in.safetensors --against 1
  fovea verify verify-forward-linear-h.3.fovea.gguf)");
  command->callback([&exit_code, a] { exit_code = verify(*a); });
}

} // namespace tool
