// llama.cpp's GGUF files, as convert() reads them.
#include "converter/sources/formats.h"
#include "fuzz/gguf_document.h"
#include "fuzz/harness.h"
#include "fuzz/plan_graph.h"
#include "fuzz/use_source.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {

constexpr uint64_t kAlignment = 32;

std::string edit(std::string_view input, Dice &dice) {
  auto document = GgufDocument::parse(input, kAlignment);
  if (!document) return {};
  for (size_t n = 1 + dice.below(3); n-- > 0;)
    document->edit(dice, [](const std::string &, const std::string &, Dice &) { return std::string(); });
  return document->write();
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  auto document = GgufDocument::parse(a, kAlignment);
  const auto other = GgufDocument::parse(b, kAlignment);
  if (!document || !other) return {};
  for (size_t n = 1 + dice.below(3); n-- > 0;) document->take_from(*other, dice);
  return document->write();
}

} // namespace

FOVEA_FUZZ_MUTATORS(edit, join)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto bytes = input_bytes(data, size);
  return run_input(bytes, [&] {
    const Source source = open_gguf(InputFile("m.gguf", bytes));
    use_source(source, variant_of({reinterpret_cast<const char *>(data), size}));
  });
}
