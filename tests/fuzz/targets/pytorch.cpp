// A PyTorch checkpoint with config.json, as a bundle; read as convert() reads them.
#include "converter/sources/pytorch.h"
#include "fuzz/bundle_edit.h"
#include "fuzz/harness.h"
#include "fuzz/json_edit.h"
#include "fuzz/pickle_edit.h"
#include "fuzz/plan_graph.h"
#include "fuzz/use_source.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {

std::string edit(std::string_view input, Dice &dice) {
  return edit_bundle(input, dice, [](const std::string &name, const std::string &bytes, Dice &d) {
    return name.ends_with(".json") ? d.one_in(4) ? edit_json(bytes, d) : bytes : edit_checkpoint(bytes, d);
  });
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  return join_bundles(a, b, dice,
                      [](const std::string &name, const std::string &x, const std::string &y, Dice &d) {
                        return name.ends_with(".json") ? join_json(x, y, d) : join_checkpoints(x, y, d);
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
      if (file.name.ends_with(".bin"))
        add_pytorch(source, InputFile("m/" + file.name, std::as_bytes(std::span(file.bytes))));
      else
        source.add_text(file.name, file.bytes);
    source.finish();
    use_source(source, variant_of(input));
  });
}
