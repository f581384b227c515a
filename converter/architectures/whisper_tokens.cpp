#include "converter/architectures/whisper_tokens.h"

#include "converter/json.h"
#include "converter/tokenizers/tokenizer.h"
#include "text/tokenizer.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace fovea::whisper {
namespace {

constexpr uint32_t kTimes = 1501; // <|0.00|> … <|30.00|>
// Special tokens that are neither languages nor times: end, start, and six after the languages.
constexpr uint32_t kSpecialAfterLanguages = 6;

// In the order of their ids; "yue" came with large-v3.
constexpr const char *kLanguages[] = {
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt",  "tr", "pl", "ca", "nl", "ar", "sv", "it", "id",
    "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro",  "da", "hu", "ta", "no", "th", "ur", "hr", "bg",
    "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv",  "bn", "sr", "az", "sl", "kn", "et", "mk", "br",
    "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw",  "gl", "mr", "pa", "si", "km", "sn", "yo", "so",
    "af", "oc", "ka", "be", "tg", "sd", "gu", "am", "yi",  "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt",
    "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln", "ha", "ba", "jw", "su", "yue"};
constexpr int32_t kEndMultilingual = 50257, kEndEnglish = 50256;

void name_token(TokenizerData &data, int32_t id, std::string text, TokenType type) {
  const auto i = size_t(id);
  if (id < 0 || i >= data.tokens.size() || data.types[i] != TokenType::Unused) return;
  data.tokens[i] = std::move(text);
  data.types[i] = type;
}

// Names by position what the source leaves without a name. Only for vocabularies of the published sizes.
void name_by_position(TokenizerData &data) {
  const auto size = int32_t(data.tokens.size());
  const int32_t end = size >= 51865 ? kEndMultilingual : kEndEnglish;
  const int32_t time_begin = size - int32_t(kTimes), after = time_begin - int32_t(kSpecialAfterLanguages);
  const int32_t n_languages = after - (end + 2);
  if (n_languages < 1 || n_languages > int32_t(std::size(kLanguages))) return;
  name_token(data, end, "<|endoftext|>", TokenType::Special);
  name_token(data, end + 1, "<|startoftranscript|>", TokenType::Special);
  for (int32_t i = 0; i < n_languages; ++i)
    name_token(data, end + 2 + i, concat("<|", kLanguages[i], "|>"), TokenType::Special);
  constexpr const char *names[] = {"translate",   "transcribe", "startoflm",
                                   "startofprev", "nospeech",   "notimestamps"};
  for (int32_t i = 0; i < int32_t(std::size(names)); ++i)
    name_token(data, after + i, concat("<|", names[i], "|>"), TokenType::Special);
  for (int32_t i = 0; i < int32_t(kTimes); ++i) {
    char text[16];
    std::snprintf(text, sizeof text, "<|%.2f|>", i * 0.02);
    name_token(data, time_begin + i, text, TokenType::Added);
  }
}

int32_t first_of(const TokenizerData &data, std::initializer_list<const char *> texts) {
  for (const char *text : texts)
    if (const int32_t id = find_token(data, text); id >= 0) return id;
  return -1;
}

// OpenAI's list of tokens that annotate rather than speak: brackets, notes, dashes at a word's start.
std::set<int32_t> non_speech_tokens(const TokenizerData &data) {
  const Tokenizer tokenizer(data);
  std::set<int32_t> out;
  const auto first_token = [&](const std::string &text, bool only_single) {
    const std::vector<int32_t> ids = tokenizer.encode(text, {.add_special = false});
    if (!ids.empty() && (!only_single || ids.size() == 1)) out.insert(ids[0]);
  };
  first_token(" -", false);
  first_token(" '", false);
  for (const char *symbol :
       {"\"",  "#",  "(",  ")",  "*",   "+",  "/",  ":",   ";",   "<",  "=",  ">",  "@",  "[",   "\\",  "]",
        "^",   "_",  "`",  "{",  "|",   "}",  "~",  "「",  "」",  "『", "』", "<<", ">>", "<<<", ">>>", "--",
        "---", "-(", "-[", "('", "(\"", "((", "))", "(((", ")))", "[[", "]]", "{{", "}}", "♪♪",  "♪♪♪"}) {
    first_token(symbol, true);
    first_token(concat(" ", symbol), true);
  }
  for (const char *note : {"♩", "♪", "♫", "♬", "♭", "♮", "♯"}) {
    first_token(note, false);
    first_token(concat(" ", note), false);
  }
  return out;
}

// A list of token ids from generation_config.json, else config.json; nothing when neither has it.
std::optional<std::vector<int32_t>> token_list(const Source &source, const char *key) {
  for (const char *file : {"generation_config.json", "config.json"})
    if (const auto text = source.text(file))
      if (auto ids = Config::parse(*text, source.text_path(file)).find_i32s(key)) return ids;
  return {};
}

void read_languages(const Source &source, const TokenizerData &data, Tokens &tokens) {
  std::optional<bool> multilingual;
  if (const auto text = source.text("generation_config.json"))
    multilingual =
        Config::parse(*text, source.text_path("generation_config.json")).find_bool("is_multilingual");
  // Published vocabularies differ by one token; the English one also names languages it was never trained on.
  if (!multilingual.value_or(data.tokens.size() >= 51865)) return;
  for (const char *code : kLanguages)
    if (const int32_t id = find_token(data, concat("<|", code, "|>")); id >= 0) {
      tokens.languages.emplace_back(code);
      tokens.language_tokens.push_back(id);
    }
}

void read_suppressed(const Source &source, const TokenizerData &data, Tokens &tokens) {
  const auto mark = [&](int32_t id, float value) {
    if (id >= 0 && size_t(id) < tokens.suppress.size() && tokens.suppress[size_t(id)] != 1)
      tokens.suppress[size_t(id)] = value;
  };
  if (const auto never = token_list(source, "suppress_tokens")) {
    for (const int32_t id : *never) mark(id, 1);
  } else {
    for (const int32_t id : non_speech_tokens(data)) mark(id, 1);
  }
  if (const auto first = token_list(source, "begin_suppress_tokens")) {
    for (const int32_t id : *first) mark(id, 2);
  } else {
    mark(find_token(data, "Ġ"), 2); // a lone space
    mark(tokens.end, 2);
  }
  for (const int32_t id : {tokens.start, tokens.translate, tokens.transcribe, tokens.previous,
                           tokens.no_speech, tokens.no_timestamps, find_token(data, "<|startoflm|>")})
    mark(id, 1);
  for (size_t id = 0; id < data.types.size(); ++id)
    if (data.types[id] == TokenType::Unused) mark(int32_t(id), 1);
}

} // namespace

Tokens read_tokens(const Source &source, TokenizerData &data) {
  name_by_position(data);
  Tokens t;
  t.suppress.resize(data.tokens.size());
  t.end = find_token(data, "<|endoftext|>");
  t.start = find_token(data, "<|startoftranscript|>");
  t.translate = find_token(data, "<|translate|>");
  t.transcribe = find_token(data, "<|transcribe|>");
  t.previous = find_token(data, "<|startofprev|>");
  t.no_speech = first_of(data, {"<|nospeech|>", "<|nocaptions|>"});
  t.no_timestamps = find_token(data, "<|notimestamps|>");
  t.time_begin = find_token(data, "<|0.00|>");
  if (t.end < 0 || t.start < 0)
    fail(ErrorCode::InvalidFile, source.path(),
         ": the vocabulary has no <|endoftext|> or no <|startoftranscript|>");
  // Older tokenizer files end at <|notimestamps|>; the times follow it all the same.
  if (t.time_begin < 0 && t.no_timestamps >= 0 && size_t(t.no_timestamps) + 1 < data.tokens.size())
    t.time_begin = t.no_timestamps + 1;
  read_languages(source, data, t);
  read_suppressed(source, data, t);
  return t;
}

void add_metadata(const Tokens &t, ModelPlan &plan) {
  plan.add("fovea.transcribe.multilingual", t.multilingual());
  const std::pair<const char *, int32_t> ids[] = {{"start", t.start},
                                                  {"end", t.end},
                                                  {"translate", t.translate},
                                                  {"transcribe", t.transcribe},
                                                  {"previous", t.previous},
                                                  {"no_speech", t.no_speech},
                                                  {"no_timestamps", t.no_timestamps},
                                                  {"time_begin", t.time_begin}};
  for (const auto &[name, id] : ids) plan.add(concat("fovea.transcribe.token.", name), id);
  plan.add("fovea.transcribe.languages", t.languages);
  plan.add("fovea.transcribe.language_tokens", t.language_tokens);
}

} // namespace fovea::whisper
