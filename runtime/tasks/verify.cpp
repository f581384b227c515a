#include "tasks/verify.h"

#include "check/evidence.h"
#include "exec/tensors.h"
#include "graph/extract.h"
#include "ops/registry.h"
#include "tasks/draw_inputs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <unistd.h>

namespace fovea {
namespace {

namespace fs = std::filesystem;
using Outcome = check::CaseResult::Outcome;

constexpr uint64_t kNoLimit = UINT64_MAX; // of sizes: they are the model's

/// A file for the statement in hand; gone with this.
class Scratch {
public:
  Scratch() {
    static std::atomic<uint32_t> count{0};
    std::error_code failed;
    path_ = fs::temp_directory_path(failed) / concat("fovea-verify-", ::getpid(), "-", count++, ".gguf");
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  std::string path() const { return path_.string(); }

private:
  fs::path path_;
};

std::string file_name(const Verified &row) {
  std::string name = concat("verify-", row.graph, "-", row.statement.substr(0, 60));
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.') c = '-';
  name.erase(std::unique(name.begin(), name.end(), [](char a, char b) { return a == '-' && b == '-'; }),
             name.end());
  return name + ".fovea.gguf";
}

/// What a statement makes on the device, and what it should.
struct Compared {
  check::Made want;
  std::vector<vk::KernelVariant> kernels;
  check::CaseResult result;
};

Compared compare(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                 const check::Evidence &evidence, const VerifyOptions &options) {
  Compared out;
  out.want = options.against ? check::run_on_device(options.against, model, evidence, false, options.cancel)
                             : check::run_on_reference(*model, evidence);
  try {
    const check::Made got = check::run_on_device(device, model, evidence, true, options.cancel);
    out.kernels = got.kernels;
    out.result = check::compare(got, out.want, evidence.made);
  } catch (const Error &e) { // the reference could
    if (e.code() != ErrorCode::Unsupported && e.code() != ErrorCode::Timeout) throw;
    out.kernels = evidence.made.variants;
    out.result.outcome = Outcome::Wrong;
    out.result.fault = e.what();
  }
  return out;
}

/// One graph of a model, from its first statement to its last.
class Walk {
public:
  Walk(const std::shared_ptr<vk::Device> &device, const VerifyOptions &options, const Session &session,
       const Program &program, HostTensors &states, Verification &out)
      : device_(device), options_(options), model_(session.model()),
        graph_(model_.graph(program.plan().graph)), states_(states), out_(out),
        weights_([this](const std::string &name) { return model_.find_weight(name); }),
        maker_({graph_, program.plan(), weights_, session.caps()}),
        types_(infer_types(graph_, program.plan().bindings,
                           [this](const std::string &name) {
                             const WeightInfo *w = model_.find_weight(name);
                             return w ? &w->type : nullptr;
                           })),
        values_(graph_.values().size()) {
    for (const std::string &step : graph_.steps()) steps_[step] = program.step(step);
    for (uint32_t id = 0; id < types_.size(); ++id)
      if (graph_.values()[id].kind == ValueKind::State)
        states_.try_emplace(graph_.values()[id].name, types_[id]);
    find_needs();
  }

  void run(Program &program) {
    for (const PlanValue &input : program.plan().inputs)
      values_[graph_.find(input.name).id] = host_tensor(input.type, program.input(input.name));
    const std::vector<uint32_t> &all = maker_.statements();
    const size_t n = options_.n_statements ? std::min(options_.n_statements, all.size()) : all.size();
    out_.n_left += all.size() - n;
    size_t n_done = 0;
    for (uint32_t i = 0; i < last_use_.size() && n_done < n && !out_.at_fault; ++i) {
      if (options_.cancel && *options_.cancel) fail(ErrorCode::Cancelled, "cancelled");
      if (!needed_[i]) continue;
      const bool dispatches = std::binary_search(all.begin(), all.end(), i);
      if (dispatches && options_.progress)
        options_.progress(concat(graph_.name(), ": ", program.plan().statement_text[i]), n_done, n);
      n_done += dispatches;
      if (!dispatches || !compare_statement(i, program.plan().statement_text[i])) by_reference(i);
      for (uint32_t id = 0; id < values_.size(); ++id)
        if (last_use_of_[id] == i) values_[id] = {};
    }
  }

private:
  /// What the dispatches need, and until when: what a statement takes, and what the norms and views take that
  /// come along with it.
  void find_needs() {
    const auto &statements = graph_.statements();
    last_use_.assign(statements.size(), 0);
    last_use_of_.assign(graph_.values().size(), UINT32_MAX);
    needed_.assign(statements.size(), false);
    std::map<uint32_t, uint32_t> producers;
    for (uint32_t i = 0; i < statements.size(); ++i)
      if (!statements[i].state) producers[statements[i].result.id] = i;
    for (const uint32_t i : maker_.statements()) needed_[i] = true;
    for (uint32_t i = uint32_t(statements.size()); i-- > 0;) {
      if (!needed_[i]) continue;
      last_use_[i] = std::max(last_use_[i], i);
      for (const Value v : operands(statements[i].op)) {
        uint32_t &until = last_use_of_[v.id];
        until = until == UINT32_MAX ? last_use_[i] : std::max(until, last_use_[i]);
        if (const auto made = producers.find(v.id); made != producers.end()) {
          needed_[made->second] = true;
          last_use_[made->second] = std::max(last_use_[made->second], until);
        }
      }
    }
  }

  void gather(const Graph &graph, const std::map<std::string, std::string> &origin, HostTensors &inputs,
              HostTensors &states) const {
    for (const ValueInfo &v : graph.values())
      if (v.kind == ValueKind::Input)
        inputs[v.name] = values_[graph_.find(origin.at(v.name)).id];
      else if (v.kind == ValueKind::State)
        states[v.name] = states_.at(origin.at(v.name));
  }

  /// What the statement made becomes what later ones take.
  void keep(uint32_t statement, const std::map<std::string, std::string> &origin, HostTensors outputs,
            HostTensors states) {
    for (auto &[name, tensor] : states) states_[origin.at(name)] = std::move(tensor);
    if (!graph_.statements()[statement].state)
      values_[graph_.statements()[statement].result.id] = std::move(outputs.begin()->second);
  }

  void by_reference(uint32_t statement) {
    const Extract alone = extract(graph_, types_, std::span(&statement, 1));
    HostTensors inputs, states;
    gather(alone.graph, alone.origin, inputs, states);
    const WeightReader weights = [&](const std::string &name) {
      return read_tensor(model_.file(), alone.origin.at(name));
    };
    HostTensors outputs = run_reference(alone.graph, {}, weights, inputs, steps_, states).outputs;
    keep(statement, alone.origin, std::move(outputs), std::move(states));
  }

  /// Whether it could be run by itself.
  bool compare_statement(uint32_t statement, const std::string &text) {
    const std::optional<check::KernelCase> made = maker_.make(statement, kNoLimit);
    if (!made) {
      ++out_.n_apart;
      return false;
    }
    check::Evidence evidence{*made, {}, {}};
    const Graph graph = parse_graph(made->graph_text, op_table());
    for (auto &[name, value] : evidence.made.steps) value = steps_.at(name);
    gather(graph, made->origin, evidence.inputs, evidence.states);
    const Scratch file;
    check::write_evidence(file.path(), evidence, model_.file());
    ModelOptions trusted;
    trusted.verify = false;
    Compared found = compare(device_, Model::open(file.path(), trusted), evidence, options_);
    out_.rows.push_back({graph_.name(), text, graph_.statements()[statement].op.name(),
                         check::shapes_of(*made), found.kernels, found.result});
    if (found.result.outcome == Outcome::Wrong) {
      out_.at_fault = true;
      keep_file(file, out_.rows.back());
      return true;
    }
    keep(statement, made->origin, std::move(found.want.outputs), std::move(found.want.states));
    return true;
  }

  void keep_file(const Scratch &file, const Verified &row) {
    std::error_code failed;
    const fs::path to = fs::path(options_.folder) / file_name(row);
    fs::create_directories(options_.folder, failed);
    fs::copy_file(file.path(), to, fs::copy_options::overwrite_existing, failed);
    if (failed) fail(ErrorCode::Io, to.string(), ": cannot be written: ", failed.message());
    out_.kept = to.string();
  }

  const std::shared_ptr<vk::Device> &device_;
  const VerifyOptions &options_;
  const Model &model_;
  const Graph &graph_;
  HostTensors &states_;
  Verification &out_;
  const WeightLookup weights_;
  const check::CaseMaker maker_;
  const std::vector<TensorType> types_;
  std::vector<HostTensor> values_; // by id; empty before they are made and when nothing takes them any more
  StepValues steps_;
  std::vector<bool> needed_;                     // by statement
  std::vector<uint32_t> last_use_, last_use_of_; // statements: by statement, of its result; by value
};

Verification verify_kept(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                         const VerifyOptions &options) {
  model->verify_once();
  const check::Evidence evidence = check::read_evidence(*model);
  if (options.progress) options.progress(evidence.made.title, 0, 1);
  const Compared found = compare(device, model, evidence, options);
  Verification out;
  const size_t colon = evidence.made.title.find(": ");
  const std::string graph = evidence.made.title.substr(0, colon);
  const Graph &text = model->graphs()[0];
  out.rows.push_back({colon == std::string::npos ? text.name() : graph,
                      colon == std::string::npos ? graph : evidence.made.title.substr(colon + 2),
                      text.statements().back().op.name(), check::shapes_of(evidence.made), found.kernels,
                      found.result});
  out.at_fault = found.result.outcome == Outcome::Wrong;
  out.others = found.kernels != evidence.made.variants;
  if (out.at_fault) out.kept = model->path();
  return out;
}

} // namespace

Verification verify(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                    const VerifyOptions &options) {
  if (check::is_evidence(model->file())) {
    if (!options.inputs.empty() || !options.graph.empty() || !options.steps.empty())
      fail(ErrorCode::InvalidArgument, model->path(),
           ": is one statement with what it takes: it runs with no inputs, graph or steps beside");
    return verify_kept(device, model, options);
  }
  Verification out;
  RunRequest request;
  request.inputs = options.inputs;
  request.graph = options.graph;
  request.steps = options.steps;
  request.control.cancel = options.cancel;
  out.drawn = draw_inputs(*model, request);
  SessionOptions sizes;
  sizes.bindings = session_sizes(*model, request);
  Session session(device, model, DeviceWeights::load(device, model), sizes);
  HostTensors states;
  request.run = [&](const std::string &, Program &program) {
    if (!out.at_fault) Walk(device, options, session, program, states, out).run(program);
    session.run(program, request.control);
  };
  try {
    run_model(session, request);
  } catch (const Error &e) {
    if (!out.at_fault || e.code() == ErrorCode::Cancelled)
      throw; // what follows from a fault is none of its own
  }
  return out;
}

} // namespace fovea
