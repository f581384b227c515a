// A damaged model, driven all the way with its checksum ignored: opened, graphs parsed, planned, weights
// loaded, every graph run, speech transcribed. It ends in an Error that names the file, or it runs; never in
// a crash, a hang or a huge allocation. 10,000 files, most of them in stage soak (FOVEA_MUTATIONS: how many
// there); the sanitizers run it too.
#include "exec/session.h"
#include "faults/mutator.h"
#include "support/op_case.h"
#include "support/share.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"
#include "support/tiny_speech_model.h"
#include "tasks/run_graphs.h"
#include "tasks/transcribe.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <doctest/doctest.h>
#include <set>
#include <sys/resource.h>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint64_t kDeviceBytes = 48 << 20; // the model needs three
constexpr double kMaxSeconds = 60;          // of one file, sanitizers included

std::vector<float> sound() {
  std::vector<float> samples(8000);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.3f * std::sin(float(i) * 0.07f);
  return samples;
}

class Driver {
public:
  Driver() {
    vk::DeviceOptions options;
    options.cache_folder = "";
    options.memory_bytes = kDeviceBytes;
    // Imported pages are the file's: a mutated file is replaced while an old device still maps it.
    device_ = vk::Device::open(options);
  }

  /// What an Error says must begin with the file, in one line. Returns the stage that was reached.
  int drive(const std::string &path) {
    stage_ = 0;
    attempt(path, [&] { all(path); });
    return stage_;
  }

private:
  template <class Body> void attempt(const std::string &path, Body &&body) {
    try {
      body();
    } catch (const Error &e) {
      const std::string_view text = e.what();
      CHECK_MESSAGE(text.substr(0, path.size()) == path, "does not name the file: ", text);
      CHECK_MESSAGE(text.find('\n') == text.npos, text);
      CHECK_MESSAGE(text.size() < 1000, text);
      CHECK_MESSAGE(e.code() != ErrorCode::InvalidArgument, text);
      // Weights may be anything, so may what comes of them.
      CHECK_MESSAGE((e.code() != ErrorCode::Internal || text.find(" gave ") != text.npos), text);
    }
  }

  void all(const std::string &path) {
    const auto model = Model::open(path, {.verify = false});
    stage_ = 1;
    for (const Graph &graph : model->graphs()) attempt(path, [&] { plan(*model, graph); });
    const auto weights = DeviceWeights::load(device_, model);
    for (const Graph &graph : model->graphs()) attempt(path, [&] { run(model, weights, graph); });
    attempt(path, [&] { run_named(model, weights); });
    if (!Transcriber::accepts(*model)) return;
    Transcriber transcriber(device_, model, weights, {});
    stage_ = 2;
    TranscribeOptions options;
    options.temperatures = {0};
    options.max_tokens_per_window = 6;
    transcriber.transcribe(sound(), options);
    stage_ = 3;
  }

  static Bindings sizes(const Graph &graph) {
    Bindings out;
    for (const ValueInfo &v : graph.values())
      for (const Dim &d : v.dims)
        if (!d.symbol.empty()) out[d.symbol] = d.symbol == "B" ? 1 : 3;
    return out;
  }

  static void plan(const Model &model, const Graph &graph) {
    const Bindings bindings = sizes(graph);
    const Graph *one[] = {&graph};
    naming(model, [&] {
      const StateLayout states = StateLayout::of(one, bindings);
      const Plan plan = make_plan(
          graph, bindings, [&](const std::string &name) { return model.find_weight(name); }, states,
          DeviceCaps{});
      CHECK(dump_plan(plan).size() < 64 << 20);
    });
  }

  void run(const std::shared_ptr<const Model> &model, const std::shared_ptr<const DeviceWeights> &weights,
           const Graph &graph) {
    SessionOptions options;
    options.bindings = sizes(graph);
    options.bindings["B"] = 1;
    Session session(device_, model, weights, options);
    Program &program = session.program(graph.name(), options.bindings);
    for (const std::string &step : graph.steps()) program.set_step(step, 0);
    session.run(program);
  }

  void run_named(const std::shared_ptr<const Model> &model,
                 const std::shared_ptr<const DeviceWeights> &weights) {
    SessionOptions options;
    options.bindings["B"] = 1;
    Session session(device_, model, weights, options);
    RunRequest request;
    request.inputs["samples"] = HostTensor({{8000}, Encoding::F32});
    request.inputs["samples"].f = sound();
    request.inputs["decoder_tokens"] = HostTensor({{2}, Encoding::I32});
    request.inputs["decoder_tokens"].i = {41, 5};
    try {
      run_model(session, request);
    } catch (const Error &e) {
      if (e.code() != ErrorCode::InvalidArgument) throw; // a graph that takes other inputs
    }
  }

  std::shared_ptr<vk::Device> device_;
  int stage_ = 0;
};

long peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

constexpr int kEveryday = 500, kEverydayCtc = 250, kSweep = 9500;

void write_token_model(const std::string &path) {
  TinySpeechModel what;
  what.multilingual = true;
  write_tiny_speech_model(path, what);
}
void write_ctc_model(const std::string &path) { write_tiny_ctc_model(path); }

void drive_mutations(void (*write)(const std::string &path), int n_files, uint32_t seed) {
  if (const char *given = std::getenv("FOVEA_MUTATIONS_SEED")) seed = uint32_t(std::atoi(given));
  MESSAGE("FOVEA_MUTATIONS_SEED=" << seed << ", " << n_files << " files");
  const TempFolder folder;
  const std::string path = folder / "tiny.gguf";
  write(path);
  Mutator mutator(path, seed);
  auto driver = std::make_unique<Driver>();
  REQUIRE(driver->drive(path) == 3);
  [[maybe_unused]] const long before_mib = peak_mib();
  int reached[4] = {};
  std::string faults;
  for (int i = 0; i < n_files; ++i) {
    write_file(path, mutator.next(faults));
    INFO("file ", i, ": ", faults);
    const auto begin = std::chrono::steady_clock::now();
    ++reached[driver->drive(path)];
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    CHECK(seconds < kMaxSeconds);
    if (i % 500 == 499) driver = std::make_unique<Driver>(); // kernels of odd sizes would pile up
    if (std::getenv("FOVEA_MUTATIONS_VERBOSE")) std::printf("%d %s %.2f s\n", i, faults.c_str(), seconds);
  }
  MESSAGE("refused when opened " << reached[0] << ", as a speech model " << reached[1] << ", transcribing "
                                 << reached[2] << "; ran " << reached[3]);
  // Damage that never got past the container would test little.
  CHECK(reached[0] > 0);
  CHECK(reached[0] < n_files * 3 / 4);
  CHECK(reached[3] > n_files / 20);
#if !defined(FOVEA_ADDRESS_SANITIZER) // which keeps freed memory
  CHECK(peak_mib() - before_mib < 512);
#endif
}

} // namespace

TEST_CASE("faults: a mutated model runs, or is refused by name") {
  drive_mutations(write_token_model, kEveryday, 20240607);
}
TEST_CASE("faults: a mutated CTC model runs, or is refused by name") {
  drive_mutations(write_ctc_model, kEverydayCtc, 20240609);
}

TEST_CASE("faults: mutated models run, or are refused by name: thousands" * doctest::test_suite("sweep")) {
  const char *given = std::getenv("FOVEA_MUTATIONS");
  drive_mutations(write_token_model, given ? std::atoi(given) : kSweep / int(one_in(4)), 20240608);
}

TEST_CASE("faults: every truncation of a small model, by name") {
  const TempFolder folder;
  const std::string path = folder / "small.gguf";
  {
    GgufWriter writer(path);
    writer.add_graph("g", "graph g\n  in x f32 [2, 32]\n  out y = linear(x, w, b)\n");
    writer.add_tensor("w", {{3, 32}, Encoding::Q8});
    writer.add_tensor("b", {{3}, Encoding::F32});
    for (const size_t n : {96, 6, 12}) writer.write(std::vector<std::byte>(n, std::byte{0x11}));
    writer.commit();
  }
  const std::string whole = read_file(path);
  CHECK_NOTHROW(Model::open(path)->verify_once());
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    CHECK_THROWS_WITH_AS((void)Model::open(path), doctest::Contains(path.c_str()), Error);
  }
}

TEST_CASE("faults: a flipped bit anywhere is found before weights are used, unless told not to look") {
  const TempFolder folder;
  const std::string path = folder / "tiny.gguf";
  write_tiny_speech_model(path, {});
  const std::string whole = read_file(path);
  std::mt19937 random(7);
  int n_opened = 0;
  for (int i = 0; i < 200; ++i) {
    std::string damaged = whole;
    // From past the magic on, half of them in weights.
    const size_t at =
        i % 2 ? whole.size() / 2 + random() % (whole.size() / 2) : 8 + random() % (whole.size() - 8);
    damaged[at] = char(damaged[at] ^ (1 << random() % 8));
    write_file(path, damaged);
    std::shared_ptr<const Model> model;
    try {
      model = Model::open(path);
    } catch (const Error &) {
      continue; // the container or a graph noticed
    }
    ++n_opened;
    CHECK_THROWS_WITH_AS((void)DeviceWeights::load(test_device(), model),
                         doctest::Contains("convert or download it again"), Error);
    CHECK_NOTHROW((void)DeviceWeights::load(test_device(), Model::open(path, {.verify = false})));
  }
  CHECK(n_opened > 100);
}

TEST_CASE("faults: a device with too little memory for weights, states or scratch is an error with sizes") {
  const TempFolder folder;
  const std::string path = folder / "tiny.gguf";
  write_tiny_speech_model(path, {});
  std::set<std::string> full; // what did not fit
  bool ran = false;
  for (uint64_t bytes = 4096; !ran && bytes < 1ull << 30; bytes += bytes / 8) {
    vk::DeviceOptions options;
    options.cache_folder = "";
    options.memory_bytes = bytes;
    const auto device = vk::Device::open(options);
    try {
      const auto model = Model::open(path);
      const auto weights = DeviceWeights::load(device, model, WeightPlacement::Copy);
      Transcriber transcriber(device, model, weights, {});
      transcriber.transcribe(sound(), {});
      ran = true;
    } catch (const Error &e) {
      const std::string text = e.what();
      CAPTURE(text);
      CHECK(e.code() == ErrorCode::OutOfMemory);
      CHECK(text.rfind(path + ": ", 0) == 0);
      CHECK(text.find(concat(" of ", bytes, " left")) != text.npos);
      CHECK(text.find('\n') == text.npos);
      full.insert(text.substr(path.size() + 2, text.find(':', path.size() + 2) - path.size() - 2));
    }
  }
  CHECK(ran);
  CHECK(full.count("weights") == 1);
  CHECK(full.size() > 1);
  for (const std::string &what : full) MESSAGE(what);
}
