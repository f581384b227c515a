#include "converter/architectures/ctc_tokens.h"

#include "converter/language_model.h"
#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>

namespace fovea {
namespace {

// Windows of a recording, in positions of the encoder, whose attention takes memory by their square. With the
// 20 ms of the published models they are 20 s, and the first convolution's result (rows of 5 samples, 512
// channels) is just below the 128 MiB that every device can bind.
constexpr uint32_t kWindowPositions = 1000, kOverlapPositions = 150;

// Classes of a frame that a search for words looks at: the rest are hardly ever likelier than e^-10.
constexpr uint32_t kCandidates = 16;

std::optional<Config> file_of(const Source &source, const char *name) {
  const auto text = source.text(name);
  if (!text) return {};
  return Config::parse(*text, source.text_path(name));
}

/// A special token's text, given as such or as an object with a "content".
std::string special(const std::optional<Config> &config, const char *key, const char *fallback) {
  const Json *value = config ? config->find(key) : nullptr;
  if (value && value->is_object() && value->contains("content")) value = &(*value)["content"];
  return value && value->is_string() ? value->get<std::string>() : fallback;
}

std::string lower_case(const std::string &text) {
  std::string out;
  const std::string valid = utf8_replace_invalid(text);
  for (size_t at = 0; at < valid.size();) append_lower_case(out, utf8_next(valid, at));
  return out;
}

/// True for the tokenizer that writes its tokens one behind the other.
bool writes_letters(const std::optional<Config> &tokenizer) {
  const std::string kind = tokenizer ? tokenizer->find_string("tokenizer_class").value_or("") : "";
  return kind.empty() || kind == "Wav2Vec2CTCTokenizer" || kind == "Wav2Vec2Tokenizer";
}

/// Adds a file's ids to `tokens`.
void add_ids(const Source &source, const char *name, std::vector<std::string> &tokens) {
  const auto text = source.text(name);
  if (!text) return;
  const KeptJson kept = parse_json(*text, source.text_path(name));
  const Json &ids = kept;
  if (!ids.is_object()) fail(ErrorCode::InvalidFile, source.text_path(name), ": expected a JSON object");
  for (const auto &[token, id] : ids.items()) {
    if (id.is_object())
      fail(ErrorCode::Unsupported, source.text_path(name), ": a vocabulary for each of several languages ('",
           printable(token), "')");
    if (!id.is_number_unsigned())
      fail(ErrorCode::InvalidFile, source.text_path(name), ": token '", printable(token), "' has no id");
    if (id.get<uint64_t>() < tokens.size()) tokens[id.get<uint64_t>()] = token;
  }
}

} // namespace

CtcSound read_ctc_sound(const Source &source) {
  CtcSound out;
  const auto c = file_of(source, "preprocessor_config.json");
  if (!c) return out;
  out.sample_rate_hz = c->find_u32("sampling_rate").value_or(out.sample_rate_hz);
  out.normalize = c->find_bool("do_normalize").value_or(out.normalize);
  if (out.sample_rate_hz < 1000 || out.sample_rate_hz > 384'000)
    fail(ErrorCode::Unsupported, c->path(), ": sampling_rate is ", out.sample_rate_hz);
  if (const auto size = c->find_u32("feature_size"); size && *size != 1)
    fail(ErrorCode::Unsupported, c->path(), ": feature_size is ", *size, ", samples (1) expected");
  return out;
}

uint32_t add_ctc_metadata(const Source &source, const Config &config, uint32_t vocabulary,
                          const CtcSound &sound, ModelPlan &plan) {
  const auto tokenizer = file_of(source, "tokenizer_config.json");
  const bool letters = writes_letters(tokenizer);
  if (!letters || !source.text("vocab.json")) {
    constexpr const char *then = "; `fovea transcribe` will not work, `fovea run` will";
    plan.add("fovea.task.missing", std::string("tokenizer"));
    if (letters)
      plan.warn(source.text_path("vocab.json"), ": is not there, and gives the letters", then);
    else
      plan.warn(tokenizer->path(), ": tokenizer_class is '",
                printable(*tokenizer->find_string("tokenizer_class")), "', expected 'Wav2Vec2CTCTokenizer'",
                then);
    return 1;
  }
  if (!source.text("preprocessor_config.json"))
    plan.warn(source.text_path("preprocessor_config.json"),
              ": is not there; recordings are taken to be heard at ", sound.sample_rate_hz,
              " Hz, brought to mean 0 and variance 1, which may not be what the model was "
              "trained with");
  if (const std::string space = special(tokenizer, "replace_word_delimiter_char", " "); space != " ")
    fail(ErrorCode::Unsupported, tokenizer->path(), ": replace_word_delimiter_char is '", printable(space),
         "', a space expected");
  source.check_vocabulary(vocabulary);
  std::vector<std::string> tokens(vocabulary);
  add_ids(source, "vocab.json", tokens);
  add_ids(source, "added_tokens.json", tokens);
  const auto id_of = [&](const std::string &token) {
    const auto at = std::find(tokens.begin(), tokens.end(), token);
    return token.empty() || at == tokens.end() ? -1 : int32_t(at - tokens.begin());
  };
  int32_t blank = id_of(special(tokenizer, "pad_token", "<pad>"));
  if (blank < 0) blank = int32_t(config.find_u32("pad_token_id").value_or(0));
  if (uint32_t(blank) >= vocabulary)
    fail(ErrorCode::InvalidFile, config.path(), ": pad_token_id ", blank, " is not one of ", vocabulary,
         " classes");
  const int32_t delimiter = id_of(special(tokenizer, "word_delimiter_token", "|"));
  const bool lower = tokenizer && tokenizer->find_bool("do_lower_case").value_or(false);
  // What is no text is written as nothing.
  for (const char *key : {"pad_token", "unk_token", "bos_token", "eos_token"}) {
    const char *usual = key[0] == 'p' ? "<pad>" : key[0] == 'u' ? "<unk>" : key[0] == 'b' ? "<s>" : "</s>";
    if (const int32_t id = id_of(special(tokenizer, key, usual)); id >= 0) tokens[size_t(id)].clear();
  }
  tokens[size_t(blank)].clear();
  if (lower)
    for (std::string &token : tokens) token = lower_case(token);

  plan.add("fovea.task", std::string("transcribe"));
  plan.add("fovea.transcribe.decoder", std::string("ctc"));
  plan.add("fovea.audio.sample_rate", sound.sample_rate_hz);
  // Of a window's last positions, those that see past its end must be the next window's.
  const auto positions = [&](uint32_t seconds, uint32_t usual) {
    return seconds ? uint64_t(seconds) * sound.sample_rate_hz / sound.hop : usual;
  };
  const uint64_t overlap =
      std::max(positions(sound.overlap_s, kOverlapPositions), sound.context / sound.hop + 1);
  const uint64_t window = std::max(positions(sound.window_s, kWindowPositions), 6 * overlap);
  plan.add("fovea.audio.window_samples", uint32_t(window * sound.hop));
  plan.add("fovea.transcribe.ctc.overlap", uint32_t(overlap * sound.hop));
  plan.add("fovea.transcribe.ctc.hop", uint32_t(sound.hop));
  plan.add("fovea.transcribe.ctc.context", uint32_t(sound.context));
  plan.add("fovea.transcribe.ctc.blank", blank);
  plan.add("fovea.transcribe.ctc.delimiter", delimiter);
  plan.add("fovea.transcribe.ctc.clean_up",
           tokenizer && tokenizer->find_bool("clean_up_tokenization_spaces").value_or(false));
  const bool search = delimiter >= 0 && add_language_model(source, tokens, plan);
  plan.add("fovea.transcribe.ctc.tokens", std::move(tokens));
  return search ? std::min(kCandidates, vocabulary) : 1;
}

} // namespace fovea
