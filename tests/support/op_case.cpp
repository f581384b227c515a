#include "support/op_case.h"

#include "base/half.h"
#include "exec/tensors.h"
#include "format/gguf_writer.h"
#include "ops/registry.h"
#include "support/share.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <limits>
#include <unistd.h>

namespace fovea::test {
namespace {

constexpr uint32_t kPoison = 0x7FE1DEADu; // a NaN

struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() : path(std::filesystem::temp_directory_path() / concat("fovea_test_", ::getpid())) {
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// Plain rounding to the nearest code: tests need valid planes, not good ones.
void write_quantized(GgufWriter &writer, const HostTensor &t) {
  const int bits = int(info(t.type.encoding).bits), largest = bits == 8 ? 127 : 7;
  const size_t n_groups = t.f.size() / 32;
  std::vector<uint32_t> words(t.f.size() * size_t(bits) / 32);
  std::vector<uint16_t> scales(n_groups);
  for (size_t g = 0; g < n_groups; ++g) {
    float peak = 0;
    for (size_t i = 0; i < 32; ++i) peak = std::max(peak, std::abs(t.f[g * 32 + i]));
    scales[g] = float_to_half(peak / float(largest));
    const float scale = half_to_float(scales[g]);
    for (size_t i = 0; i < 32; ++i) {
      const size_t k = g * 32 + i;
      const int code = scale > 0 ? std::clamp(int(std::lround(t.f[k] / scale)), -largest, largest) : 0;
      const uint32_t packed = bits == 8 ? uint32_t(code) & 255u : uint32_t(code + 8);
      words[k * size_t(bits) / 32] |= packed << (k * size_t(bits) % 32);
    }
  }
  writer.write(std::as_bytes(std::span(words)));
  writer.write(std::as_bytes(std::span(scales)));
}

bool bitwise_poison(std::span<const std::byte> bytes) {
  uint32_t poison = kPoison;
  for (size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != reinterpret_cast<const std::byte *>(&poison)[i % 4]) return false;
  return true;
}

/// Whether a dispatch is bound to write to bytes of the arena between `begin` and `end`.
bool is_reused(const Plan &plan, uint64_t begin, uint64_t end) {
  for (const Dispatch &d : plan.dispatches)
    for (const Binding &b : d.bindings)
      if (b.space == Space::Scratch && b.access != Access::Read && b.offset < end &&
          b.offset + b.bytes > begin)
        return true;
  return false;
}

void compare(const std::string &what, const HostTensor &got, const HostTensor &want, const OpCase &c) {
  REQUIRE(got.type == want.type);
  if (want.type.encoding == Encoding::I32) {
    CHECK_MESSAGE(got.i == want.i, what);
    return;
  }
  double magnitude = 0, worst = 0;
  size_t worst_at = 0;
  for (const float v : want.f)
    if (v > -1e38f) magnitude = std::max(magnitude, std::abs(double(v)));
  for (size_t i = 0; i < want.f.size(); ++i) {
    const double error = std::isfinite(got.f[i]) ? std::abs(double(got.f[i]) - double(want.f[i])) : INFINITY;
    // The stand-in for minus infinity must come out as itself.
    const double weighed = want.f[i] > -1e38f ? error : got.f[i] <= -1e38f ? 0 : INFINITY;
    if (weighed > worst) worst = weighed, worst_at = i;
  }
  const double allowed = c.tolerance_factor * tolerance(want.type.encoding, c.terms, magnitude);
  CHECK_MESSAGE(worst <= allowed, what, ": element ", worst_at, " of ", to_string(want.type), " is ",
                got.f[worst_at], ", expected ", want.f[worst_at], ", allowed error ", allowed);
}

} // namespace

std::shared_ptr<vk::Device> test_device() {
  static const std::shared_ptr<vk::Device> device = [] {
    vk::DeviceOptions options;
    options.tuning = false; // what the user of this machine has measured is not what is tested
    return vk::Device::open(options);
  }();
  return device;
}

double tolerance(Encoding encoding, uint64_t terms, double magnitude) {
  const double f32 = double(std::numeric_limits<float>::epsilon()) * double(terms + 8);
  if (encoding == Encoding::Q8) return magnitude / 127; // a rounding that went the other way
  return magnitude * (encoding == Encoding::F16 ? f32 + 0x1p-10 : f32);
}

HostTensor random_tensor(const TensorType &type, uint32_t seed, float scale, int32_t limit) {
  HostTensor out(type);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  for (float &v : out.f) v = normal(generator);
  for (int32_t &v : out.i) v = int32_t(generator() % uint32_t(std::max(limit, 1)));
  if (type.encoding == Encoding::F16)
    for (float &v : out.f) v = half_to_float(float_to_half(v));
  return out;
}

std::string write_model(const std::vector<std::string> &graph_texts, const HostTensors &weights) {
  static const TemporaryFolder folder;
  static int count = 0;
  const std::string path = (folder.path / concat(count++ % 8, ".gguf")).string();
  GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  for (const std::string &text : graph_texts) writer.add_graph(parse_graph(text, op_table()).name(), text);
  for (const auto &[name, t] : weights) writer.add_tensor(name, t.type);
  for (const auto &[name, t] : weights) {
    if (is_quantized(t.type.encoding))
      write_quantized(writer, t);
    else
      writer.write(tensor_bytes(t));
  }
  writer.commit();
  return path;
}

namespace {

/// Runs the case once, with what `caps` admits, and compares. What ran.
Plan run_once(const OpCase &c, const Graph &graph, const std::shared_ptr<const Model> &model,
              const std::shared_ptr<const DeviceWeights> &weights, const DeviceCaps &caps,
              const ReferenceRun &expected, const HostTensors &states) {
  SessionOptions options;
  options.bindings = c.bindings;
  options.adjust_caps = [&](DeviceCaps &device_caps) { device_caps = caps; };
  Session session(test_device(), model, weights, options);
  Program &program = session.program(graph.name(), c.bindings);
  std::string kernels;
  for (const Dispatch &d : program.plan().dispatches) kernels += concat(" ", to_string(d.kernel));
  INFO("kernels:", kernels, "\n", c.graph_text, dump_plan(program.plan()));
  session.fill_scratch(kPoison);
  for (const auto &[name, tensor] : c.inputs)
    program.set_input(name, std::span<const std::byte>(tensor_bytes(tensor)));
  for (const auto &[name, value] : c.steps) program.set_step(name, value);
  session.run(program);

  const std::vector<std::byte> arena = session.read_scratch();
  CHECK_MESSAGE(bitwise_poison(std::span(arena).last(Session::kGuardBytes)),
                "the guard after the arena was written");
  for (const PlanValue &out : program.plan().outputs) {
    compare("output " + out.name, host_tensor(out.type, program.output(out.name)),
            expected.outputs.at(out.name), c);
    const uint64_t end = out.offset + out.type.bytes(), padded = (end + 255) / 256 * 256;
    // Unless something else of the plan was there before it.
    CHECK_MESSAGE((is_reused(program.plan(), end, padded) ||
                   bitwise_poison(std::span(arena).subspan(end - end % 4, padded - (end - end % 4)))),
                  "output ", out.name, " was written past its end");
  }
  for (const auto &[name, want] : states) compare("state " + name, session.read_state(name), want, c);
  return program.plan();
}

} // namespace

Plan plan_op_case(const OpCase &c) {
  const Graph graph = parse_graph(c.graph_text, op_table());
  const Graph *const graphs[] = {&graph};
  const auto model = Model::open(write_model({c.graph_text}, c.weights));
  const auto weights = [&](const std::string &name) { return model->find_weight(name); };
  DeviceCaps caps = test_device()->caps();
  if (c.adjust_caps) c.adjust_caps(caps);
  return make_plan(graph, c.bindings, weights, StateLayout::of(graphs, c.bindings), caps);
}

std::set<std::string> run_op_case(const OpCase &c) {
  const Graph graph = parse_graph(c.graph_text, op_table());
  const Graph *const graphs[] = {&graph};
  const auto model = Model::open(write_model({c.graph_text}, c.weights));
  const auto weights = DeviceWeights::load(test_device(), model);
  const auto reader = [&](const std::string &name) { return read_tensor(model->file(), name); };
  const WeightLookup lookup = [&](const std::string &name) { return model->find_weight(name); };
  HostTensors states;
  std::optional<ReferenceRun> expected;

  DeviceCaps caps = test_device()->caps();
  if (c.adjust_caps) c.adjust_caps(caps);
  // CTest's ops_in_pieces: every grid in so many parts.
  if (const char *pieces = std::getenv("FOVEA_TEST_PIECES")) caps.least_pieces = uint32_t(atoi(pieces));
  caps.max_storage_buffer_range = std::min(caps.max_storage_buffer_range, weights->max_range());
  const auto next_plan = [&] {
    if (!is_plan_run())
      return make_plan(graph, c.bindings, lookup, StateLayout::of(graphs, c.bindings), caps);
    if (!expected) expected = run_reference(graph, c.bindings, reader, c.inputs, c.steps, states);
    return run_once(c, graph, model, weights, caps, *expected, states);
  };
  std::set<std::string> planned;
  for (;;) {
    try {
      for (const Dispatch &d : next_plan().dispatches) {
        caps.disabled_kernels.insert(uint32_t(d.kernel));
        planned.insert(to_string(d.kernel));
      }
    } catch (const Error &e) {
      if (e.code() == ErrorCode::Unsupported && !planned.empty()) return planned;
      throw;
    }
  }
}

} // namespace fovea::test
