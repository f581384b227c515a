#include "tasks/generate_spec.h"

#include "tasks/graph_check.h"
#include "tasks/metadata_reader.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kMaxVocabulary = 1u << 24; // ids pass through f32
constexpr uint32_t kMaxContext = 1u << 24;
constexpr size_t kMaxEnds = 256, kMaxStops = 256, kMaxStopBytes = 4096;

SamplingOptions read_sampling(const ModelFile &file) {
  SamplingOptions s;
  s.temperature = file.find_f32("fovea.generate.temperature").value_or(s.temperature);
  s.top_k = file.find_u32("fovea.generate.top_k").value_or(s.top_k);
  s.top_p = file.find_f32("fovea.generate.top_p").value_or(s.top_p);
  s.min_p = file.find_f32("fovea.generate.min_p").value_or(s.min_p);
  s.repeat_penalty = file.find_f32("fovea.generate.repeat_penalty").value_or(s.repeat_penalty);
  try {
    check(s);
  } catch (const Error &e) {
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.generate: ", e.what());
  }
  return s;
}

} // namespace

GenerateSpec GenerateSpec::read(const ModelFile &file) {
  const MetadataReader read(file);
  GenerateSpec s;
  s.n_context = read.size("fovea.generate.context", 2, kMaxContext);
  s.n_vocabulary = read.size("fovea.generate.vocabulary", 2, kMaxVocabulary);
  s.begin = file.find_i32("fovea.generate.token.begin").value_or(kNone);
  if (s.begin < kNone || s.begin >= int32_t(s.n_vocabulary))
    read.reject("fovea.generate.token.begin", s.begin, concat("an id below ", s.n_vocabulary, ", or -1"));
  s.end = file.find_i32s("fovea.generate.token.end").value_or(std::vector<int32_t>());
  if (s.end.size() > kMaxEnds)
    read.reject("the number of fovea.generate.token.end", s.end.size(), concat("at most ", kMaxEnds));
  for (const int32_t id : s.end)
    if (id < 0 || id >= int32_t(s.n_vocabulary))
      read.reject("one of fovea.generate.token.end", id, concat("ids below ", s.n_vocabulary));
  for (const std::string_view text :
       file.find_strings("fovea.generate.stop").value_or(std::vector<std::string_view>())) {
    if (text.empty() || text.size() > kMaxStopBytes || s.stop.size() == kMaxStops)
      read.reject("fovea.generate.stop", s.stop.size(),
                  concat("at most ", kMaxStops, " texts of 1 to ", kMaxStopBytes, " bytes"));
    s.stop.emplace_back(text);
  }
  s.sampling = read_sampling(file);
  s.chat = ChatFormat::read(file);
  return s;
}

bool GenerateSpec::ends(int32_t token) const { return std::find(end.begin(), end.end(), token) != end.end(); }

void check_generate_graphs(const Model &model, const GenerateSpec &spec, uint64_t n_batch,
                           uint64_t n_context) {
  GraphChecker step(model, "step", {{"B", n_batch}, {"T", 1}, {"C", n_context}}, "generating");
  step.input("tokens", {{n_batch, 1}, Encoding::I32});
  step.no_more_inputs();
  step.step("pos");
  step.output("last", {{n_batch, 1, spec.n_vocabulary}, Encoding::F32});
  step.pairs("best", n_batch, 1, 1);
}

} // namespace fovea
