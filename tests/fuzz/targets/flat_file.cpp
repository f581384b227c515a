// The flat file: opened, its graphs parsed and planned, its metadata read by every task, its tokenizer made,
// its weights decoded, its checksum taken.
#include "format/flat_file.h"
#include "exec/model.h"
#include "fuzz/gguf_document.h"
#include "fuzz/graph_edit.h"
#include "fuzz/harness.h"
#include "fuzz/plan_graph.h"
#include "tasks/classify_text.h"
#include "tasks/ctc_search.h"
#include "tasks/ctc_spec.h"
#include "tasks/file_tasks.h"
#include "tasks/generate_spec.h"
#include "tasks/generation_settings.h"
#include "tasks/load_tokenizer.h"
#include "tasks/ngram_model.h"
#include "tasks/speech_spec.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {

void read_values(const ModelFile &file) {
  for (const MetaEntry &e : file.metadata()) {
    (void)to_text(e.value);
    (void)e.value.as<uint32_t>();
    (void)e.value.as<float>();
    (void)e.value.as<std::vector<std::string_view>>();
    (void)e.value.as<std::vector<int32_t>>();
    (void)e.value.as<std::vector<float>>();
  }
  for (const TensorInfo &t : file.tensors()) {
    std::vector<float> row(t.type.shape.row());
    file.decode_rows(t, t.type.shape.rows() - 1, 1, row);
  }
}

void read_tasks(const Model &model) {
  const ModelFile &file = model.file();
  if (has_task(model, kTranscribeTask) && file.find_string(kDecoderKey) == kCtcDecoder) {
    const CtcSpec spec = CtcSpec::read(file);
    attempt([&] { (void)CtcSearchSettings::read(file); });
    attempt([&] { (void)NgramModel::read(file); });
    check_ctc_graph(model, spec);
  } else if (has_task(model, kTranscribeTask)) {
    const SpeechSpec spec = SpeechSpec::read(file);
    attempt([&] { check_speech_graphs(model, spec, 1); });
  } else if (has_task(model, kGenerateTask)) {
    const GenerateSpec spec = GenerateSpec::read(file);
    attempt([&] { check_generate_graphs(model, spec, 1, spec.default_context()); });
  } else if (has_task(model, "translate")) {
    const GenerationSettings settings = GenerationSettings::read(file);
    attempt([&] { settings.check(); });
    for (const std::string &task : generation_tasks(file))
      attempt([&] { (void)GenerationSettings::read(file, task); });
  } else if (has_task(model, "classify")) {
    (void)read_score_function(file);
    (void)read_labels(file);
  }
}

void use_tokenizer(const ModelFile &file) {
  if (!file.find_meta("tokenizer.ggml.tokens")) return;
  const Tokenizer tokenizer = load_tokenizer(file, 1 << 16);
  const auto ids = tokenizer.encode("a <|t50|>\u00e9 B12", {true, true});
  (void)tokenizer.decode(ids, true);
}

std::string edit(std::string_view input, Dice &dice) {
  auto document = GgufDocument::parse(input, kFileAlignment);
  if (!document) return {};
  for (size_t n = 1 + dice.below(3); n-- > 0;)
    document->edit(dice, [](const std::string &key, const std::string &text, Dice &r) {
      return key.starts_with(kGraphPrefix) ? edit_graph(text, r) : std::string();
    });
  return document->write();
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  auto document = GgufDocument::parse(a, kFileAlignment);
  const auto other = GgufDocument::parse(b, kFileAlignment);
  if (!document || !other) return {};
  for (size_t n = 1 + dice.below(3); n-- > 0;) document->take_from(*other, dice);
  return document->write();
}

} // namespace

FOVEA_FUZZ_MUTATORS(edit, join)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const auto bytes = input_bytes(data, size);
  return run_input(bytes, [&] {
    const Model model(ModelFile(MappedFile("m.gguf", bytes)));
    const uint32_t variant = variant_of({reinterpret_cast<const char *>(data), size});
    read_values(model.file());
    for (const Graph &graph : model.graphs())
      attempt([&] {
        plan_graph(
            graph, [&](const std::string &name) { return model.find_weight(name); }, variant);
      });
    attempt([&] { read_tasks(model); });
    attempt([&] { use_tokenizer(model.file()); });
    model.file().verify();
  });
}
