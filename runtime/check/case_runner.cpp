#include "check/case_runner.h"

#include "base/half.h"
#include "check/compare.h"
#include "exec/session.h"
#include "exec/tensors.h"
#include "format/gguf_writer.h"
#include "ops/registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace fovea::check {
namespace {

using Weights = std::vector<std::pair<std::string, TensorType>>;

/// Written as quantized planes, or as they are. Matrices are drawn so that products keep the size of what
/// they take, as in trained models: recurrences amplify every rounding otherwise.
void write_tensor(GgufWriter &writer, const TensorType &type, std::mt19937 &random) {
  const float size = type.shape.rank() >= 2 ? 1 / std::sqrt(float(type.shape.row())) : 1;
  if (is_quantized(type.encoding)) {
    std::vector<uint32_t> words(plane_bytes(type.shape, type.encoding) / 4);
    for (uint32_t &w : words) w = uint32_t(random());
    writer.write(std::as_bytes(std::span(words)));
    const float code =
        float(1u << info(type.encoding).bits) / std::sqrt(12.f); // deviation of equally likely codes
    std::vector<uint16_t> scales(scale_bytes(type.shape, type.encoding) / 2);
    for (uint16_t &s : scales) s = float_to_half(size / code * (0.5f + float(random() % 1000) * 1e-3f));
    writer.write(std::as_bytes(std::span(scales)));
    return;
  }
  HostTensor t(type);
  std::normal_distribution<float> normal(0, size);
  for (float &v : t.f) v = normal(random);
  for (int32_t &v : t.i) v = int32_t(random() % 2);
  writer.write(tensor_bytes(t));
}

std::string declaration(const std::string &name, Encoding encoding, const ValueInfo &like) {
  std::string dims;
  for (const Dim &d : like.dims) dims += concat(dims.empty() ? "" : ", ", d.value);
  return concat(name, " ", encoding, " [", dims, "]\n");
}

/// A graph that copies rows into each state: the way to fill one whatever its encoding. Empty when there is
/// nothing to fill, or no op for it in this library.
std::string fill_graph(const Graph &graph) {
  std::string inputs, states, stores;
  for (const ValueInfo &v : graph.values()) {
    if (v.kind != ValueKind::State) continue;
    states += "  state " + declaration(v.name, v.encoding, v);
    if (v.encoding == Encoding::I32) continue;
    inputs += "  in " + declaration(v.name + ".rows", Encoding::F32, v);
    stores += concat("  copy(", v.name, ".rows) -> ", v.name, "\n");
  }
  const auto ops = op_table();
  const bool can_copy = std::any_of(ops.begin(), ops.end(), [](const OpRow &row) {
    return std::string_view(row.name) == "copy" && row.make;
  });
  return stores.empty() || !can_copy ? "" : concat("graph fill\n", inputs, states, stores);
}

/// Every other row is small, where what a norm adds to a variance shows.
constexpr float kSmallRow = 0.02f;

HostTensor random_input(const TensorType &type, std::mt19937 &random, uint32_t limit, bool positive) {
  HostTensor t(type);
  std::normal_distribution<float> normal;
  for (float &v : t.f) v = positive ? 0.5f + std::abs(normal(random)) : normal(random);
  for (int32_t &v : t.i) v = int32_t(random() % limit);
  for (size_t i = 0; i < t.f.size() && type.shape.rows() > 1; ++i)
    if (i / type.shape.row() % 2 == 1) t.f[i] *= kSmallRow;
  if (type.encoding == Encoding::F16)
    for (float &v : t.f) v = half_to_float(float_to_half(v));
  return t;
}

bool all_finite(const HostTensors &tensors) {
  for (const auto &[name, t] : tensors)
    if (!std::all_of(t.f.begin(), t.f.end(), [](float v) { return std::isfinite(v); })) return false;
  return true;
}

bool is_of_the_moment(ErrorCode code) {
  return code == ErrorCode::OutOfMemory || code == ErrorCode::DeviceLost || code == ErrorCode::Cancelled ||
         code == ErrorCode::Io;
}

} // namespace

bool guard_holds(std::span<const std::byte> arena) {
  const auto guard = arena.last(Session::kGuardBytes);
  for (size_t i = 0; i + sizeof kPoison <= guard.size(); i += sizeof kPoison)
    if (std::memcmp(guard.data() + i, &kPoison, sizeof kPoison) != 0) return false;
  return true;
}

/// What a case takes and what must come out; the same for all of its variants.
struct CaseRunner::Expected {
  std::string graph_text;
  Weights tensors;
  StepValues steps;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const DeviceWeights> weights;
  HostTensors inputs, fills, states, outputs;
};

CaseRunner::CaseRunner(std::shared_ptr<vk::Device> device, const std::string &folder)
    : device_(std::move(device)) {
  std::error_code failed;
  std::filesystem::path where = folder;
  if (!folder.empty()) std::filesystem::create_directories(where, failed);
  if (folder.empty() || ::access(folder.c_str(), W_OK) != 0) {
    where = std::filesystem::temp_directory_path(failed);
    if (failed) where = "/tmp"; // and the error names it
  }
  static std::atomic<uint32_t> count{0};
  path_ = (where / concat("fovea-check-", ::getpid(), "-", count++, ".gguf")).string();
}

CaseRunner::~CaseRunner() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void CaseRunner::prepare(const KernelCase &c) {
  if (expected_ && expected_->graph_text == c.graph_text && expected_->tensors == c.weights &&
      expected_->steps == c.steps)
    return;
  expected_.reset();
  auto e = std::make_unique<Expected>();
  e->graph_text = c.graph_text;
  e->tensors = c.weights;
  e->steps = c.steps;
  const Graph graph = parse_graph(c.graph_text, op_table());
  std::mt19937 random(1);
  GgufWriter writer(path_);
  writer.add("general.architecture", std::string("fovea"));
  writer.add_graph(graph.name(), c.graph_text);
  const std::string fill = fill_graph(graph);
  if (!fill.empty()) writer.add_graph("fill", fill);
  for (const auto &[name, type] : c.weights) writer.add_tensor(name, type);
  for (const auto &[name, type] : c.weights) write_tensor(writer, type, random);
  writer.commit();
  ModelOptions trusted;
  trusted.verify = false;
  e->model = Model::open(path_, trusted);
  std::error_code ignored;
  std::filesystem::remove(path_, ignored); // mapped: nothing stays behind, whatever happens
  e->weights = DeviceWeights::load(device_, e->model);

  uint32_t limit = 2; // of integers: rows of a table, mostly
  if (!c.weights.empty() && c.weights[0].second.shape.rank() > 0)
    limit = uint32_t(std::clamp<uint64_t>(c.weights[0].second.shape[0], 1, 1u << 20));
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::State && v.encoding != Encoding::I32)
      e->fills[v.name] = random_input({bind(v, {}), Encoding::F32}, random, 1, false);
  const HostTensors before = fill_states(c, *e);
  std::optional<Error> failed;
  for (const auto &[most, positive] :
       {std::pair(limit, false), std::pair(limit, true), std::pair(2u, true), std::pair(1u, true)}) {
    for (const ValueInfo &v : graph.values())
      if (v.kind == ValueKind::Input)
        e->inputs[v.name] = random_input({bind(v, {}), v.encoding}, random, most, positive);
    try {
      e->states = before;
      e->outputs =
          run_reference(
              graph, {}, [&](const std::string &name) { return read_tensor(e->model->file(), name); },
              e->inputs, c.steps, e->states)
              .outputs;
      if (all_finite(e->outputs) && all_finite(e->states)) {
        expected_ = std::move(e);
        return;
      }
      failed = Error(ErrorCode::Unsupported, "the reference gives what is not finite");
    } catch (const Error &error) {
      failed = error;
    }
  }
  throw *failed;
}

Session CaseRunner::session(const KernelCase &c, const Expected &e) const {
  SessionOptions options;
  options.gated = false;
  options.adjust_caps = [&](DeviceCaps &caps) { adjust_caps(c, caps); };
  return Session(device_, e.model, e.weights, options);
}

void CaseRunner::fill(Session &session, const Expected &e) {
  if (!e.model->find_graph("fill")) return;
  Program &program = session.program("fill");
  for (const auto &[name, rows] : e.fills) program.set_input(name + ".rows", std::span<const float>(rows.f));
  session.run(program);
}

HostTensors CaseRunner::fill_states(const KernelCase &c, const Expected &e) const {
  Session s = session(c, e);
  fill(s, e);
  HostTensors out;
  for (const auto &[name, rows] : e.fills) out[name] = s.read_state(name);
  return out;
}

CaseResult CaseRunner::run(const KernelCase &c, uint32_t n_timed, const std::atomic<bool> *cancel) {
  CaseResult result;
  try {
    prepare(c);
    return compare_with_reference(c, n_timed, cancel);
  } catch (const Error &error) {
    if (is_of_the_moment(error.code())) throw;
    result.outcome = expected_ ? CaseResult::Outcome::Wrong : CaseResult::Outcome::Unknown;
    result.fault = error.what();
  }
  return result;
}

CaseResult CaseRunner::compare_with_reference(const KernelCase &c, uint32_t n_timed,
                                              const std::atomic<bool> *cancel) {
  const Expected &e = *expected_;
  Session s = session(c, e);
  fill(s, e);
  Program &program = s.program("extract");
  CaseResult result;
  std::vector<vk::KernelVariant> ran;
  for (const Dispatch &d : program.plan().dispatches)
    if (d.statement + 1 == program.plan().statement_text.size()) ran.push_back(kernel_variant(s.caps(), d));
  if (!do_as_wanted(ran, c.variants)) {
    result.fault = concat("another kernel was chosen: ", ran.empty() ? "none" : to_string(ran[0]));
    return result;
  }
  RunControl control;
  control.cancel = cancel;
  s.fill_scratch(kPoison);
  for (const auto &[name, tensor] : e.inputs) {
    const std::vector<std::byte> bytes = tensor_bytes(tensor);
    program.set_input(name, std::span<const std::byte>(bytes));
  }
  for (const auto &[name, value] : c.steps) program.set_step(name, value);
  s.run(program, control);

  result.outcome = CaseResult::Outcome::Right;
  const auto look = [&](const std::string &what, const HostTensor &got, const HostTensor &want) {
    const Comparison found = compare(got, want, c.terms, kFactor);
    if (found.error > result.error || !(found.error <= found.allowed))
      result.error = found.error, result.allowed = found.allowed;
    if (found.fault.empty() || !result.fault.empty()) return;
    result.outcome = CaseResult::Outcome::Wrong;
    result.fault = concat(what, found.fault);
  };
  for (const PlanValue &out : program.plan().outputs)
    look("", host_tensor(out.type, program.output(out.name)), e.outputs.at(out.name));
  for (const auto &[name, want] : e.states) look("state: ", s.read_state(name), want);
  if (!guard_holds(s.read_scratch())) {
    result.outcome = CaseResult::Outcome::Wrong;
    result.fault = "memory behind the results was written";
  }
  for (uint32_t i = 0; i < n_timed && result.outcome == CaseResult::Outcome::Right; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    s.run(program, control);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.seconds = i == 0 ? seconds : std::min(result.seconds, seconds);
  }
  return result;
}

} // namespace fovea::check
