#include "converter/architectures/sentence_embedding.h"

#include "converter/json.h"
#include "ops/l2_normalize.h"

#include <algorithm>

namespace fovea {
namespace {

// The last part of "sentence_transformers.models.Pooling".
std::string module_type(const Json &module) {
  const auto type = module.find("type");
  if (type == module.end() || !type->is_string()) return {};
  const std::string text = type->get<std::string>();
  return text.substr(text.rfind('.') + 1);
}

// A folder's name comes from a stranger's file: it may only name one in the model's folder.
std::string module_folder(const Json &module, const std::string &path) {
  const auto folder = module.find("path");
  const std::string name = folder != module.end() && folder->is_string() ? folder->get<std::string>() : "";
  if (name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || name.starts_with('.'))
    fail(ErrorCode::InvalidFile, path, ": path '", printable(name), "' is not a folder of this model");
  return name;
}

PoolFunction read_pooling(const Config &config) {
  static constexpr std::pair<const char *, PoolFunction> kFlags[] = {
      {"pooling_mode_cls_token", PoolFunction::First},
      {"pooling_mode_max_tokens", PoolFunction::Max},
      {"pooling_mode_mean_tokens", PoolFunction::Mean},
      {"pooling_mode_mean_sqrt_len_tokens", PoolFunction::SqrtMean},
      {"pooling_mode_lasttoken", PoolFunction::Last}};
  static constexpr std::pair<const char *, PoolFunction> kModes[] = {
      {"cls", PoolFunction::First},
      {"max", PoolFunction::Max},
      {"mean", PoolFunction::Mean},
      {"lasttoken", PoolFunction::Last},
      {"mean_sqrt_len_tokens", PoolFunction::SqrtMean}};
  if (config.has("pooling_mode")) {
    const std::string mode = config.get_string("pooling_mode");
    for (const auto &[name, function] : kModes)
      if (mode == name) return function;
    fail(ErrorCode::Unsupported, config.path(), ": pooling_mode '", printable(mode), "' is not supported");
  }
  if (config.find_bool("pooling_mode_weightedmean_tokens").value_or(false))
    fail(ErrorCode::Unsupported, config.path(), ": pooling_mode_weightedmean_tokens is not supported");
  std::optional<PoolFunction> found;
  for (const auto &[key, function] : kFlags)
    if (config.find_bool(key).value_or(false)) {
      if (found)
        fail(ErrorCode::Unsupported, config.path(), ": ", key, " beside another mode (they would be joined)");
      found = function;
    }
  return found.value_or(PoolFunction::Mean);
}

void read_modules(const Source &source, const std::string &text, SentenceEmbedding &out) {
  const std::string path = source.text_path("modules.json");
  const KeptJson kept = parse_json(text, path);
  const Json &modules = kept;
  if (!modules.is_array()) fail(ErrorCode::InvalidFile, path, ": not a list of modules");
  for (size_t i = 0; i < modules.size(); ++i) {
    const std::string type = modules[i].is_object() ? module_type(modules[i]) : "";
    if (i == 0 && type == "Transformer") continue;
    if (i == 1 && type == "Pooling") {
      const std::string file = module_folder(modules[i], path) + "/config.json";
      if (const auto pooling = source.text(file))
        out.pooling = read_pooling(Config::parse(*pooling, source.text_path(file)));
    } else if (i == 2 && type == "Normalize") {
      out.normalize = true;
    } else {
      fail(ErrorCode::Unsupported, path, ": module ", i, " '", printable(type),
           "' (a Transformer, a Pooling and perhaps a Normalize are supported)");
    }
  }
}

} // namespace

SentenceEmbedding read_sentence_embedding(const Source &source) {
  SentenceEmbedding out;
  if (const auto modules = source.text("modules.json")) {
    read_modules(source, *modules, out);
    out.declared = true;
  }
  if (const auto text = source.text("sentence_bert_config.json")) {
    const Config config = Config::parse(*text, source.text_path("sentence_bert_config.json"));
    out.max_tokens = config.find_u32("max_seq_length");
    if (config.find_bool("do_lower_case").value_or(false))
      fail(ErrorCode::Unsupported, config.path(),
           ": do_lower_case is true; this build leaves that to the tokenizer's own normalizer");
  }
  if (const auto text = source.text("config_sentence_transformers.json")) {
    const Config config = Config::parse(*text, source.text_path("config_sentence_transformers.json"));
    const auto name = config.find_string("default_prompt_name");
    const Json *prompts = config.find("prompts");
    if (name && prompts && prompts->is_object() && prompts->contains(*name) && (*prompts)[*name].is_string())
      out.prefix = (*prompts)[*name].get<std::string>();
  }
  return out;
}

void SentenceEmbedding::add(Graph &graph, Value hidden, Value mask) const {
  const PoolRows rows{hidden, mask, pooling};
  if (!normalize) {
    graph.output("embedding", rows);
    return;
  }
  L2Normalize unit;
  unit.x = graph.add("rows", rows);
  graph.output("embedding", unit);
}

} // namespace fovea
