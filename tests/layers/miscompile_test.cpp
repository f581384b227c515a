// A driver that compiles a kernel wrongly: constants of every hot kernel's SPIR-V are changed, one at a time,
// on their way into the driver. Each such kernel is found out before its first use and routed around, so that
// the model's output stays right; a mutant that passes must be one that changes nothing.
#include "layers/support.h"

#include "base/hash.h"
#include "check/gate.h"
#include "kernels/catalogue.h"
#include "models/golden.h"
#include "support/share.h"
#include "support/temp_folder.h"
#include "tasks/verify.h"

#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Mutant {
  KernelId kernel{};
  uint64_t hash = 0;
  uint32_t word = 0, change = 0;
};

constexpr uint32_t kConstant = 43, kTypeInt = 21, kTypeFloat = 22; // opcodes of SPIR-V
constexpr uint32_t kFirstWord = 5;                                 // after the header

/// Arithmetic that a wrong driver may do instead, of the same form.
constexpr std::pair<uint32_t, uint32_t> kSwapped[] = {
    {128, 130}, // + and - of integers
    {129, 131}, // of floats
    {133, 129}, // a product becomes a sum
};

/// Constants that are part of a module's form: another number there is no mistake of a compiler but a module
/// that is not valid.
std::set<uint32_t> structural(std::span<const uint32_t> words) {
  std::set<uint32_t> ids;
  for (size_t at = kFirstWord; at < words.size(); at += words[at] >> 16) {
    const uint32_t opcode = words[at] & 0xFFFF, length = words[at] >> 16;
    const bool array = opcode == 28, access = opcode == 65 || opcode == 66;
    const bool scope = opcode == 224 || opcode == 225 || (opcode >= 227 && opcode <= 242) ||
                       (opcode >= 333 && opcode <= 366);
    if (array || access || scope)
      for (uint32_t i = 1; i < length; ++i) ids.insert(words[at + i]);
  }
  return ids;
}

std::vector<Mutant> mutants_of(KernelId kernel) {
  const std::vector<uint32_t> words = spirv(kernel);
  const uint64_t hash = hash_bytes(std::as_bytes(std::span(words)));
  const std::set<uint32_t> fixed = structural(words);
  std::map<uint32_t, uint32_t> types; // opcode by id
  std::vector<Mutant> out;
  for (size_t at = kFirstWord; at < words.size(); at += words[at] >> 16) {
    const uint32_t opcode = words[at] & 0xFFFF;
    for (const auto &[meant, done] : kSwapped)
      if (opcode == meant) out.push_back({kernel, hash, uint32_t(at), meant ^ done});
    if (opcode == kTypeInt || opcode == kTypeFloat) types[words[at + 1]] = opcode;
    if (opcode != kConstant || words[at] >> 16 != 4 || fixed.contains(words[at + 2])) continue;
    const uint32_t value = words[at + 3];
    // Of a float the highest bit of the mantissa; an integer by one or two, but no step of 0.
    const uint32_t change = types[words[at + 1]] == kTypeFloat ? 1u << 22 : value == 1 ? 2 : 1;
    out.push_back({kernel, hash, uint32_t(at + 3), change});
  }
  return out;
}

/// A golden case's model and what goes in.
struct Subject {
  std::shared_ptr<const Model> model;
  RunRequest request;
};

std::optional<Subject> subject(const std::string &name, Encoding encoding) {
  const std::string folder = shared_path("golden/cases/" + name);
  if (folder.empty()) return std::nullopt;
  Subject out{converted(folder, encoding), {}};
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  for (const auto &tensor : golden.tensors())
    if (const std::string prefix = "input."; tensor.name.starts_with(prefix))
      out.request.inputs[tensor.name.substr(prefix.size())] = read_safetensor(golden, tensor.name);
  return out;
}

struct Outcome {
  NamedTensors outputs;
  std::set<KernelId> kernels, wrong;
  std::string refused;
};

Outcome run(const Subject &what, bool checked) {
  const TempFolder cache;
  const auto device = open_device(cache.path());
  std::shared_ptr<check::Gate> gate;
  if (checked) {
    gate = std::make_shared<check::Gate>(
        device->context()->physical.info.caps, cache.path(),
        check::GateOptions{check::Mode::Child, FOVEA_TOOL, std::chrono::seconds(5)});
    device->set_gate(gate);
  }
  Outcome out;
  RunRequest request = what.request;
  request.after_graph = [&](const Program &program) {
    for (const Dispatch &d : program.plan().dispatches) out.kernels.insert(d.kernel);
  };
  try {
    SessionOptions options;
    options.bindings = session_sizes(*what.model, request);
    Session session(device, what.model, DeviceWeights::load(device, what.model), options);
    out.outputs = run_model(session, request);
  } catch (const Error &e) {
    if (e.code() != ErrorCode::Unsupported) throw;
    out.refused = e.what();
  }
  if (gate)
    for (const auto &[variant, verdict] : gate->verdicts().all())
      if (!verdict.right) out.wrong.insert(variant.id);
  return out;
}

struct Tally {
  size_t tried = 0, demoted = 0, refused = 0, harmless = 0;
};

void try_mutant(const Subject &what, const Outcome &expected, const Mutant &mutant, Tally &tally) {
  INFO(std::string(to_string(mutant.kernel)), " word ", mutant.word, " changed by ", mutant.change);
  const Armed layer;
  layer->miscompile(mutant.hash, mutant.word, mutant.change);
  ::setenv("FOVEA_LAYER_MISCOMPILE",
           concat(hex(mutant.hash), ":", mutant.word, ":", hex(mutant.change)).c_str(), 1);
  const Outcome got = run(what, true);
  ::unsetenv("FOVEA_LAYER_MISCOMPILE");
  ++tally.tried;
  for (const KernelId wrong : got.wrong) CHECK(wrong == mutant.kernel);
  if (!got.refused.empty()) {
    CHECK_MESSAGE(got.wrong.size() == 1, got.refused); // nothing else does the same: a clear word
    CHECK_MESSAGE(got.refused.find(to_string(mutant.kernel)) != std::string::npos, got.refused);
    ++tally.refused;
    return;
  }
  ++(got.wrong.empty() ? tally.harmless : tally.demoted);
  for (const auto &[name, want] : expected.outputs) {
    const HostTensor &have = got.outputs.at(name);
    if (want.type.encoding == Encoding::I32)
      CHECK_MESSAGE(have.i == want.i, name);
    else
      CHECK_MESSAGE(nmse(have.f, want.f) <= 1e-6, name, " after ", got.wrong.size(), " verdicts");
  }
}

/// Every `stride`-th mutant of the kernels that a golden case runs.
void try_mutants(const std::string &name, Encoding encoding, size_t stride) {
  const auto what = subject(name, encoding);
  if (!what) return;
  const Quiet quiet;
  const Outcome expected = run(*what, false);
  Tally tally;
  size_t count = 0;
  const char *const only = std::getenv("FOVEA_MUTANTS_OF"); // a kernel
  for (const KernelId kernel : expected.kernels)
    for (const Mutant &mutant : mutants_of(kernel))
      if (only && only != std::string_view(to_string(kernel)))
        continue;
      else if (count++ % stride == 0)
        try_mutant(*what, expected, mutant, tally);
  MESSAGE(name, " in ", std::string(to_string(encoding)), ": of ", tally.tried, " mutants (of ", count, ") ",
          tally.demoted, " routed around, ", tally.refused, " refused, ", tally.harmless, " changed nothing");
  CHECK(tally.demoted + tally.refused > 0);
}

/// Of each kernel a product of floats that becomes a sum: wrong, but never an address or a loop's end, for
/// these run in this process.
std::vector<Mutant> sums_for_products(const std::set<KernelId> &kernels) {
  std::vector<Mutant> out;
  for (const KernelId kernel : kernels)
    for (const Mutant &mutant : mutants_of(kernel))
      if (mutant.change == (133u ^ 129u)) {
        out.push_back(mutant);
        break;
      }
  return out;
}

/// A device that trusts its driver, and whose driver compiles one kernel wrongly, or none.
Verification verify_with(const Mutant *mutant, const std::shared_ptr<const Model> &model,
                         const VerifyOptions &options) {
  const Armed layer;
  if (mutant) layer->miscompile(mutant->hash, mutant->word, mutant->change);
  const TempFolder cache;
  return verify(open_device(cache.path()), model, options);
}

/// Where constants are put into the SPIR-V (SwiftShader), the driver gets other modules than the catalogue's.
bool is_hit_by_hash() {
  const bool known = open_device()->caps().folds_constants();
  if (!known) MESSAGE("not on this driver: it is given modules with constants put in, whose hashes differ");
  return known;
}

} // namespace

TEST_CASE("verify names the op whose kernel is compiled wrongly, and what it keeps shows it again") {
  if (!is_hit_by_hash()) return;
  const auto what = subject("llama", Encoding::Q8);
  if (!what) return;
  const Quiet quiet;
  VerifyOptions options;
  options.inputs = what->request.inputs;
  const Verification clean = verify_with(nullptr, what->model, options);
  CHECK(!clean.at_fault);
  CHECK(clean.n_apart == 0);
  REQUIRE(clean.rows.size() > 10);
  std::set<KernelId> kernels;
  for (const Verified &row : clean.rows) {
    CHECK_MESSAGE(row.result.outcome == check::CaseResult::Outcome::Right, row.result.fault);
    for (const vk::KernelVariant &v : row.kernels) kernels.insert(v.id);
  }
  size_t n_named = 0;
  for (const Mutant &mutant : sums_for_products(kernels)) {
    INFO(to_string(mutant.kernel));
    const TempFolder folder;
    options.folder = folder.path();
    const Verification found = verify_with(&mutant, what->model, options);
    if (!found.at_fault) continue; // a branch that is not taken
    ++n_named;
    // The first statement with that kernel, by its own kernels, and no later one.
    const auto runs = [&](const Verified &row) {
      return std::any_of(row.kernels.begin(), row.kernels.end(),
                         [&](const vk::KernelVariant &v) { return v.id == mutant.kernel; });
    };
    CHECK(runs(found.rows.back()));
    CHECK(found.rows.back().kernels == clean.rows.at(found.rows.size() - 1).kernels);
    CHECK(found.rows.back().statement == clean.rows.at(found.rows.size() - 1).statement);
    for (size_t i = 0; i + 1 < found.rows.size(); ++i)
      CHECK_MESSAGE(found.rows[i].result.outcome == check::CaseResult::Outcome::Right,
                    found.rows[i].statement);

    const auto kept = Model::open(found.kept);
    const Verification again = verify_with(&mutant, kept, {});
    REQUIRE(again.rows.size() == 1);
    CHECK(again.at_fault);
    CHECK(!again.others);
    CHECK(again.rows[0].result.fault == found.rows.back().result.fault);
    CHECK(again.rows[0].statement == found.rows.back().statement);
    const Verification elsewhere = verify_with(nullptr, kept, {});
    CHECK_MESSAGE(!elsewhere.at_fault, elsewhere.rows[0].result.fault);
  }
  CHECK(n_named >= 2);
  MESSAGE(n_named, " kernels of ", kernels.size(), " named");
}

TEST_CASE("a kernel that the driver compiles wrongly is found out and routed around") {
  if (!is_hit_by_hash()) return;
  try_mutants("llama", Encoding::Q8, 97);
}

TEST_SUITE("sweep") {
  TEST_CASE("constants and arithmetic of a text model's kernels, compiled wrongly") {
    try_mutants("llama", Encoding::Q8, one_in(37));
  }
  TEST_CASE("constants and arithmetic of a speech model's kernels, compiled wrongly") {
    try_mutants("whisper", Encoding::F16, one_in(53));
  }
  TEST_CASE("constants and arithmetic of a picture model's kernels, compiled wrongly") {
    try_mutants("resnet", Encoding::F32, one_in(37));
  }
}
