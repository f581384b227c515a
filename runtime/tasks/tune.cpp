#include "tasks/tune.h"

#include "base/checked.h"
#include "base/half.h"
#include "format/gguf_writer.h"
#include "tasks/bench.h"
#include "tasks/sampling.h"

#include <cstdlib>
#include <filesystem>

namespace fovea {
namespace {

/// Rows and columns of the matrices, which take a class of sizes each.
constexpr std::pair<uint64_t, uint64_t> kMatrices[] = {{384, 384},  {1536, 384}, {384, 1536}, {768, 768},
                                                       {3072, 768}, {768, 3072}, {2048, 2048}};
constexpr Encoding kEncodings[] = {Encoding::F16, Encoding::Q8, Encoding::Q4};

std::string weight_name(uint64_t n, uint64_t k, Encoding e) { return concat("w.", e, ".", n, "x", k); }

} // namespace

std::vector<StandardGraph> standard_graphs() {
  std::vector<StandardGraph> all;
  const auto add = [&](std::string text, std::vector<Bindings> sizes) {
    const std::string name = concat("g", all.size());
    all.push_back({name, concat("graph ", name, "\n", text), std::move(sizes)});
  };
  for (const Encoding e : kEncodings)
    for (const auto &[n, k] : kMatrices)
      add(concat("  in x f32 [T, ", k, "]\n  out y = linear(x, ", weight_name(n, k, e), ")\n"),
          {{{"T", 1}}, {{"T", 128}}, {{"T", 512}}});
  for (const Encoding e : kEncodings)
    add(concat("  in x f32 [1, T, T, 128]\n  out y = conv2d(x, ", weight_name(128, 1152, e),
               ") kernel=3 padding=1\n"),
        {{{"T", 14}}});
  for (const uint64_t keys : {512, 1536})
    add(concat("  in q f32 [T, 384]\n  step pos\n  state k", keys, " f16 [", keys, ", 384]\n  state v", keys,
               " f16 [", keys, ", 384]\n  out y = attention(q, k", keys, ", v", keys,
               ") heads=6 causal=true past=pos\n"),
        {{{"T", 1}}, {{"T", 128}}});
  add("  in q f32 [T, 384]\n  in k f32 [T, 384]\n  out y = attention(q, k, k) heads=6\n",
      {{{"T", 200}}, {{"T", 1500}}});
  for (const uint64_t width : {384, 768, 2048}) {
    add(concat("  in x f32 [T, ", width, "]\n  out y = layer_norm(x, one.", width, ", one.", width, ")\n"),
        {{{"T", 1}}, {{"T", 128}}});
    add(concat("  in x f32 [T, ", width, "]\n  out y = rms_norm(x, one.", width, ")\n"),
        {{{"T", 1}}, {{"T", 128}}});
  }
  return all;
}

namespace {

std::vector<std::byte> random_bytes(Random &random, uint64_t n) {
  std::vector<std::byte> out(n);
  for (std::byte &b : out) b = std::byte(uint32_t(random.uniform() * 256));
  return out;
}

/// Small halves of either sign.
std::vector<uint16_t> random_halves(Random &random, uint64_t n) {
  std::vector<uint16_t> out(n);
  for (uint16_t &h : out) h = float_to_half(float(random.uniform() - 0.5) * 0.1f);
  return out;
}

void write_standard_file(const std::string &path, const std::vector<StandardGraph> &graphs) {
  GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  for (const StandardGraph &g : graphs) writer.add_graph(g.name, g.text);
  std::vector<std::pair<uint64_t, uint64_t>> matrices(std::begin(kMatrices), std::end(kMatrices));
  matrices.emplace_back(128, 1152);
  for (const Encoding e : kEncodings)
    for (const auto &[n, k] : matrices) writer.add_tensor(weight_name(n, k, e), {{n, k}, e});
  for (const uint64_t width : {384, 768, 2048})
    writer.add_tensor(concat("one.", width), {{width}, Encoding::F32});
  Random random(1);
  for (const Encoding e : kEncodings)
    for (const auto &[n, k] : matrices) {
      if (e == Encoding::F16) {
        const std::vector<uint16_t> values = random_halves(random, n * k);
        writer.write(std::as_bytes(std::span(values)));
        continue;
      }
      writer.write(random_bytes(random, plane_bytes({n, k}, e)));
      const std::vector<uint16_t> scales = random_halves(random, scale_bytes({n, k}, e) / 2);
      writer.write(std::as_bytes(std::span(scales)));
    }
  for (const uint64_t width : {384, 768, 2048}) {
    const std::vector<float> ones(width, 1.0f);
    writer.write(std::as_bytes(std::span(ones)));
  }
  writer.commit();
}

/// A folder that goes with what it holds.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fovea-tune.XXXXXX").string();
    if (!::mkdtemp(name.data())) fail(ErrorCode::Io, name, ": cannot be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  std::string file() const { return (path_ / "shapes.gguf").string(); }

private:
  std::filesystem::path path_;
};

} // namespace

void tune_model(Tuner &tuner, std::shared_ptr<vk::Device> device, const std::string &model_path,
                const TuneRun &options) {
  BenchOptions wanted;
  wanted.n_runs = 1;
  wanted.model = options.model;
  wanted.cancel = options.tuner.timer.cancel;
  wanted.measure = [&](Session &session, const Program &program) { tuner.measure(session, program); };
  bench(std::move(device), model_path, wanted);
}

void tune_standard_shapes(Tuner &tuner, std::shared_ptr<vk::Device> device, const TuneRun &options) {
  const TemporaryFolder folder;
  const std::vector<StandardGraph> graphs = standard_graphs();
  write_standard_file(folder.file(), graphs);
  ModelOptions trusted;
  trusted.verify = false;
  const auto model = Model::open(folder.file(), trusted);
  SessionOptions apart;
  apart.adjust_caps = [](DeviceCaps &caps) { caps.fuse_norms = false; };
  Session session(device, model, DeviceWeights::load(device, model), apart);
  RunControl control;
  control.cancel = options.tuner.timer.cancel;
  Random random(2);
  for (const StandardGraph &graph : graphs)
    for (const Bindings &sizes : graph.sizes) {
      Program &program = session.program(graph.name, sizes);
      for (const PlanValue &in : program.plan().inputs) {
        std::vector<float> values(in.type.shape.elements());
        for (float &v : values) v = float(random.uniform() - 0.5);
        program.set_input(in.name, std::span<const float>(values));
      }
      // A cache that is nearly full: what takes longest.
      for (size_t i = 0; i < program.plan().steps.size(); ++i)
        program.set_step(program.plan().steps[i], program.plan().step_limits[i]);
      session.run(program, control);
      tuner.measure(session, program);
    }
}

} // namespace fovea
