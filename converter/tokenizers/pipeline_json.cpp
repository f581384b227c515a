// The pipelines of a tokenizer.json as lists of steps: one step per object, nested sequences flattened.
#include "converter/tokenizers/base64.h"
#include "converter/tokenizers/formats.h"

#include <functional>

namespace fovea {
namespace {

/// One object of a pipeline, with typed access to its fields.
class Part {
public:
  Part(const Json &json, const std::string &path, const char *pipeline)
      : json_(json), path_(path), pipeline_(pipeline) {
    if (!json.is_object() || !json.contains("type") || !json["type"].is_string())
      bad_tokenizer(path, "a part of '", pipeline, "' has no type");
    type = json["type"].get<std::string>();
  }
  std::string type;

  bool flag(const char *key, bool if_absent) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return if_absent;
    if (!found->is_boolean()) wrong(key, "true or false");
    return found->get<bool>();
  }
  std::string text(const char *key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_string()) wrong(key, "a string");
    return found->get<std::string>();
  }
  std::string text(const char *key, std::string if_absent) const { return has(key) ? text(key) : if_absent; }
  uint64_t number(const char *key, uint64_t if_absent) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return if_absent;
    if (!found->is_number_unsigned() || found->get<uint64_t>() > 1u << 20) wrong(key, "a small number");
    return found->get<uint64_t>();
  }
  bool has(const char *key) const { return json_.contains(key) && !json_[key].is_null(); }
  const Json &field(const char *key) const {
    if (!has(key)) wrong(key, "to be there");
    return json_[key];
  }
  /// Sets `text` or `regex` from {"String": …} or {"Regex": …}.
  void set_pattern(Step &step) const {
    const Json &pattern = field("pattern");
    for (const auto &[name, field] : {std::pair("String", "text"), std::pair("Regex", "regex")})
      if (pattern.is_object() && pattern.contains(name) && pattern[name].is_string()) {
        step.set(field, pattern[name].get<std::string>());
        return;
      }
    wrong("pattern", "{\"String\": …} or {\"Regex\": …}");
  }
  [[noreturn]] void wrong(const char *key, const char *expected) const {
    bad_tokenizer(path_, pipeline_, " ", printable(type), ": '", key, "' is not what it should be (",
                  expected, ")");
  }
  [[noreturn]] void unsupported() const {
    fail(ErrorCode::Unsupported, path_, ": ", pipeline_, " of type '", printable(type),
         "' is not known to this build");
  }

private:
  const Json &json_;
  const std::string &path_;
  const char *pipeline_;
};

/// Runs `convert` on each object that is not a sequence.
std::vector<std::string> flatten(const Json &json, const std::string &path, const char *pipeline,
                                 const char *children,
                                 const std::function<void(const Part &, std::vector<Step> &)> &convert) {
  std::vector<Step> steps;
  const std::function<void(const Json &)> visit =
      [&](const Json &object) { // parse_json() has bounded the depth
        const Part part(object, path, pipeline);
        if (part.type != "Sequence") {
          convert(part, steps);
          return;
        }
        if (!part.field(children).is_array()) part.wrong(children, "a list");
        for (const Json &child : part.field(children)) visit(child);
      };
  if (!json.is_null()) visit(json);
  std::vector<std::string> out;
  for (const Step &step : steps) out.push_back(step.print());
  return out;
}

void bert_normalizer(const Part &part, std::vector<Step> &steps) {
  const bool lower = part.flag("lowercase", true);
  if (part.flag("clean_text", true)) steps.emplace_back("clean_text");
  if (part.flag("handle_chinese_chars", true)) steps.emplace_back("space_ideographs");
  if (part.flag("strip_accents", lower)) {
    steps.emplace_back("nfd");
    steps.emplace_back("strip_nonspacing");
  }
  if (lower) steps.emplace_back("lowercase");
}

const char *behavior(const Part &part, const char *if_absent) {
  const std::string name = part.text("behavior", if_absent);
  for (const auto &[json, step] :
       {std::pair("Removed", "removed"), std::pair("Isolated", "isolated"),
        std::pair("MergedWithPrevious", "merged_with_previous"),
        std::pair("MergedWithNext", "merged_with_next"), std::pair("Contiguous", "contiguous")})
    if (name == json) return step;
  part.wrong("behavior", "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

/// "always", "first" or "never"; older files have only add_prefix_space.
std::string prepend_scheme(const Part &part) {
  const std::string scheme =
      part.text("prepend_scheme", part.flag("add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    part.wrong("prepend_scheme", "always, first or never");
  return scheme;
}

} // namespace

std::vector<std::string> normalizer_steps(const Json &json, const std::string &path, std::string &charsmap) {
  return flatten(json, path, "normalizer", "normalizers", [&](const Part &part, std::vector<Step> &steps) {
    static constexpr std::pair<const char *, const char *> kPlain[] = {{"NFC", "nfc"},
                                                                       {"NFD", "nfd"},
                                                                       {"NFKC", "nfkc"},
                                                                       {"NFKD", "nfkd"},
                                                                       {"Lowercase", "lowercase"},
                                                                       {"StripAccents", "strip_accents"},
                                                                       {"Nmt", "nmt"},
                                                                       {"ByteLevel", "byte_level"}};
    for (const auto &[type, kind] : kPlain)
      if (part.type == type) {
        steps.emplace_back(kind);
        return;
      }
    if (part.type == "BertNormalizer") return bert_normalizer(part, steps);
    if (part.type == "Strip") {
      steps.push_back(Step("strip")
                          .set("left", part.flag("strip_left", true))
                          .set("right", part.flag("strip_right", true)));
    } else if (part.type == "Prepend") {
      steps.push_back(Step("prepend").set("text", part.text("prepend")));
    } else if (part.type == "Replace") {
      Step step("replace");
      part.set_pattern(step);
      steps.push_back(step.set("with", part.text("content")));
    } else if (part.type == "Precompiled") {
      const auto bytes = base64_decode(part.text("precompiled_charsmap", ""));
      if (!bytes) part.wrong("precompiled_charsmap", "base64");
      if (bytes->empty()) return; // no rules
      if (!charsmap.empty() && charsmap != *bytes)
        fail(ErrorCode::Unsupported, path, ": two different precompiled charsmaps");
      charsmap = *bytes;
      steps.emplace_back("precompiled");
    } else {
      part.unsupported();
    }
  });
}

std::vector<std::string> pre_tokenizer_steps(const Json &json, const std::string &path) {
  return flatten(
      json, path, "pre_tokenizer", "pretokenizers", [](const Part &part, std::vector<Step> &steps) {
        if (part.type == "ByteLevel") {
          Step step("byte_level");
          if (part.flag("add_prefix_space", true)) step.set("prefix_space", true);
          if (!part.flag("use_regex", true)) step.set("regex", false);
          steps.push_back(step);
        } else if (part.type == "Metaspace") {
          Step step("metaspace");
          step.set("mark", part.text("replacement", "\xE2\x96\x81")).set("prepend", prepend_scheme(part));
          steps.push_back(step.set("split", part.flag("split", true)));
        } else if (part.type == "Whitespace") {
          steps.emplace_back("whitespace");
        } else if (part.type == "WhitespaceSplit") {
          steps.emplace_back("whitespace_split");
        } else if (part.type == "BertPreTokenizer") {
          steps.emplace_back("whitespace_split");
          steps.push_back(Step("punctuation").set("behavior", "isolated"));
        } else if (part.type == "Punctuation") {
          steps.push_back(Step("punctuation").set("behavior", behavior(part, "Isolated")));
        } else if (part.type == "Digits") {
          steps.push_back(Step("digits").set("individual", part.flag("individual_digits", false)));
        } else if (part.type == "CharDelimiterSplit") {
          steps.push_back(Step("split").set("text", part.text("delimiter")).set("behavior", "removed"));
        } else if (part.type == "FixedLength") {
          steps.push_back(Step("fixed_length").set("length", std::to_string(part.number("length", 5))));
        } else if (part.type == "Split") {
          Step step("split");
          part.set_pattern(step);
          step.set("behavior", behavior(part, "Removed"));
          if (part.flag("invert", false)) step.set("invert", true);
          steps.push_back(step);
        } else {
          part.unsupported();
        }
      });
}

std::vector<std::string> decoder_steps(const Json &json, const std::string &path) {
  if (json.is_null()) return {"join"};
  return flatten(json, path, "decoder", "decoders", [](const Part &part, std::vector<Step> &steps) {
    if (part.type == "ByteLevel") {
      steps.emplace_back("byte_level");
    } else if (part.type == "Metaspace") {
      steps.push_back(Step("metaspace")
                          .set("mark", part.text("replacement", "\xE2\x96\x81"))
                          .set("prepend", prepend_scheme(part)));
    } else if (part.type == "WordPiece") {
      steps.push_back(Step("word_piece")
                          .set("prefix", part.text("prefix", "##"))
                          .set("cleanup", part.flag("cleanup", true)));
    } else if (part.type == "ByteFallback") {
      steps.emplace_back("byte_fallback");
    } else if (part.type == "Fuse") {
      steps.emplace_back("fuse");
    } else if (part.type == "Strip") {
      steps.push_back(Step("strip")
                          .set("text", part.text("content"))
                          .set("left", std::to_string(part.number("start", 0)))
                          .set("right", std::to_string(part.number("stop", 0))));
    } else if (part.type == "Replace") {
      Step step("replace");
      part.set_pattern(step);
      steps.push_back(step.set("with", part.text("content")));
    } else if (part.type == "BPEDecoder") {
      steps.push_back(Step("bpe").set("suffix", part.text("suffix", "</w>")));
    } else if (part.type == "CTC") {
      steps.push_back(Step("ctc")
                          .set("blank", part.text("pad_token", "<pad>"))
                          .set("delimiter", part.text("word_delimiter_token", "|"))
                          .set("cleanup", part.flag("cleanup", true)));
    } else {
      part.unsupported();
    }
  });
}

} // namespace fovea
