// Random strings and what the reference library makes of them: tests/tools/compare_tokenizers.py writes the
// folder that FOVEA_TOKENIZERS names. Without it there is nothing to compare.
#include "support/tokenizer_folder.h"
#include "text/token_stream.h"

#include <cstdlib>
#include <filesystem>

using namespace fovea;

namespace {
using Ids = std::vector<int32_t>;

bool is_prefix_of_run(const std::string &streamed, const std::string &whole) {
  return streamed == whole ||
         whole.find("\xEF\xBF\xBD") != std::string::npos; // token_stream.h: broken byte tokens
}

std::string difference(const Tokenizer &tokenizer, const Json &row) {
  const std::string text = row["text"];
  const auto compare = [](const char *what, const auto &ours, const Json &reference) {
    return Json(ours) == reference
               ? std::string()
               : concat(what, " ", Json(ours).dump(), "\n  expected ", reference.dump(), "\n  ");
  };
  const EncodeOptions special{.allow_special = true}, plain{.add_special = false, .allow_special = true};
  const EncodedText encoded = tokenizer.encode_typed(text, {}, special);
  const Ids wanted = row["ids"].get<Ids>(), random = row["random"].get<Ids>();
  std::string out = compare("ids", encoded.ids, row["ids"]) + compare("types", encoded.types, row["types"]) +
                    compare("plain", tokenizer.encode(text, plain), row["plain"]) +
                    compare("decoded", tokenizer.decode(wanted, true), row["decoded"]) +
                    compare("kept", tokenizer.decode(wanted, false), row["kept"]) +
                    compare("random", tokenizer.decode(random, false), row["random_text"]);
  if (row.contains("second")) {
    const std::string second = row["second"];
    const EncodedText pair = tokenizer.encode_typed(text, second, special);
    out += compare("pair", pair.ids, row["pair_ids"]) + compare("pair types", pair.types, row["pair_types"]);
  }
  for (const Ids &ids : {wanted, random}) {
    TokenStream stream(tokenizer, false);
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.push(id);
    streamed += stream.finish();
    if (const std::string whole = tokenizer.decode(ids, false); !is_prefix_of_run(streamed, whole))
      out += compare("streamed", streamed, whole);
  }
  return out;
}
} // namespace

TEST_CASE("tokenizers: random strings and what the reference library makes of them") {
  const char *folder = std::getenv("FOVEA_TOKENIZERS");
  if (!folder) return;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    const Tokenizer tokenizer = test::load_folder(path);
    size_t n = 0, n_wrong = 0;
    for (const Json &row : test::read_json(path + "/golden.json")) {
      ++n;
      const std::string different = difference(tokenizer, row);
      if (!different.empty() && ++n_wrong <= 3)
        MESSAGE(path << " " << row["text"].dump() << "\n  " << different);
    }
    CHECK_MESSAGE(n_wrong == 0, path, ": ", n_wrong, " of ", n);
    MESSAGE(path << ": " << n << " strings");
  }
}
