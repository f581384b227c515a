// A tokenizer's files, as a bundle (tokenizer.json, vocab.json and merges.txt, vocab.txt, tokenizer.model …),
// read as convert() reads them; then the tokenizer is made, and the file "text" goes through it and back.
#include "converter/tokenizers/tokenizer.h"
#include "fuzz/bundle_edit.h"
#include "fuzz/harness.h"
#include "fuzz/json_edit.h"
#include "fuzz/protobuf_edit.h"
#include "text/token_stream.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {

constexpr uint32_t kVocabulary = 300;
constexpr size_t kMaxText = 400;

std::string edit(std::string_view input, Dice &dice) {
  return edit_bundle(input, dice, [](const std::string &name, const std::string &bytes, Dice &d) {
    return name.ends_with(".json")                              ? edit_json(bytes, d)
           : name.ends_with(".model") || name.ends_with(".spm") ? edit_protobuf(bytes, d)
           : name.ends_with(".txt") && d.one_in(2)              ? edit_text(bytes, d)
                                                                : mutate_bytes(bytes);
  });
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  return join_bundles(a, b, dice,
                      [](const std::string &name, const std::string &x, const std::string &y, Dice &d) {
                        return name.ends_with(".json") ? join_json(x, y, d) : x + y;
                      });
}

void use(const Tokenizer &tokenizer, std::string_view text) {
  for (const bool allow : {false, true}) {
    const EncodedText encoded = tokenizer.encode_typed(text, text.substr(text.size() / 2), {true, allow});
    for (const int32_t id : encoded.ids)
      if (id < 0 || id >= tokenizer.size()) finding("a token id outside the vocabulary", concat(id));
    if (encoded.types.size() != encoded.ids.size()) finding("types and ids differ in number");
    const std::string decoded = tokenizer.decode(encoded.ids, allow);
    if (!is_utf8(decoded)) finding("decoded text is not UTF-8", decoded);
  }
}

} // namespace

FOVEA_FUZZ_MUTATORS(edit, join)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view input(reinterpret_cast<const char *>(data), size);
  const std::vector<BundledFile> files = unbundle(input);
  return run_input(std::as_bytes(std::span(data, size)), [&] {
    Source source("m", "Hugging Face folder");
    std::string_view text = "a B\xc3\xa9 12";
    for (const BundledFile &file : files)
      if (file.name == "text")
        text = std::string_view(file.bytes).substr(0, kMaxText);
      else
        source.add_text(file.name, file.bytes);
    std::optional<TokenizerData> read = read_tokenizer(source, kVocabulary);
    if (!read) return;
    ModelPlan plan;
    add_tokenizer_metadata(*read, plan);
    use(Tokenizer(*std::move(read)), text);
  });
}
