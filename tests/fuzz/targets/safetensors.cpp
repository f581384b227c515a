// A Hugging Face folder, as a bundle: model.safetensors or shards with their index, config.json and other
// texts; read as convert() reads them.
#include "converter/sources/safetensors.h"
#include "converter/sources/formats.h"
#include "fuzz/bundle_edit.h"
#include "fuzz/harness.h"
#include "fuzz/json_edit.h"
#include "fuzz/plan_graph.h"
#include "fuzz/safetensors_document.h"
#include "fuzz/use_source.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {

std::string edit(std::string_view input, Dice &dice) {
  return edit_bundle(input, dice, [](const std::string &name, const std::string &bytes, Dice &r) {
    return name.ends_with(".json") ? edit_json(bytes, r) : edit_safetensors(bytes, r);
  });
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  return join_bundles(a, b, dice,
                      [](const std::string &name, const std::string &x, const std::string &y, Dice &r) {
                        return name.ends_with(".json") ? join_json(x, y, r) : join_safetensors(x, y, r);
                      });
}

} // namespace

FOVEA_FUZZ_MUTATORS(edit, join)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view input(reinterpret_cast<const char *>(data), size);
  const std::vector<BundledFile> files = unbundle(input);
  return run_input(std::as_bytes(std::span(data, size)), [&] {
    Source source("m", "Hugging Face folder");
    for (const BundledFile &file : files)
      if (file.name.ends_with(".index.json"))
        attempt([&] { (void)read_weight_map(file.bytes, "m/" + file.name, ".safetensors"); });
      else if (file.name.ends_with(".safetensors"))
        add_safetensors(source, InputFile("m/" + file.name, std::as_bytes(std::span(file.bytes))));
      else
        source.add_text(file.name, file.bytes);
    source.finish();
    use_source(source, variant_of(input));
  });
}
