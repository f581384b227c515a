// gguf_config(): llama.cpp's metadata as a config.json.
#include "converter/sources/gguf_names.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

namespace fovea {
namespace {

class ConfigWriter {
public:
  ConfigWriter(const GgufHeader &header, const GgufFamily &family)
      : header_(header), family_(family), prefix_(concat(family.architecture, ".")) {}

  Json write(std::span<const float> rope_factors, const std::vector<std::string> &names) {
    const auto has = [&](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const uint32_t width = get("embedding_length"), heads = get("attention.head_count"),
                   layers = get("block_count");
    // Before graphs of that many are made: a damaged file may say anything.
    if (layers > names.size())
      fail(ErrorCode::InvalidFile, header_.path(), ": ", layers, " layers are announced, and there are only ",
           names.size(), " tensors");
    if (heads == 0 || width / heads == 0) refuse("attention.head_count");
    const uint32_t head = find("attention.key_length").value_or(width / heads);
    if (head == 0 || find("attention.value_length").value_or(head) != head) refuse("attention.value_length");
    out_ = {{"model_type", family_.model_type},
            {"architectures", {family_.causal_lm}},
            {"hidden_size", width},
            {"num_hidden_layers", layers},
            {"num_attention_heads", heads},
            {"num_key_value_heads", find("attention.head_count_kv").value_or(heads)},
            {"head_dim", head},
            {"intermediate_size", get("feed_forward_length")},
            {"max_position_embeddings", get("context_length")},
            {"rms_norm_eps", number(header_.get<float>(key("attention.layer_norm_rms_epsilon")))},
            {"tie_word_embeddings", !has("output.weight")},
            {"torch_dtype", "float32"}};
    for (const SourceTensor &t : header_.tensors())
      if (t.name == "token_embd.weight") out_["vocab_size"] = t.shape.dim(0);
    if (const auto size = find("vocab_size"); size && !out_.contains("vocab_size"))
      out_["vocab_size"] = *size;
    if (family_.gemma) {
      gemma(width / heads, head);
    } else {
      out_["hidden_act"] = "silu";
      out_["attention_bias"] = has("blk.0.attn_q.bias");
      out_["mlp_bias"] = has("blk.0.ffn_gate.bias");
    }
    if (std::string_view(family_.model_type) == "mistral") out_["sliding_window"] = nullptr;
    rope(head, rope_factors);
    token("bos_token_id", "tokenizer.ggml.bos_token_id");
    token("eos_token_id", "tokenizer.ggml.eos_token_id");
    token("pad_token_id", "tokenizer.ggml.padding_token_id");
    refuse_unknown();
    return std::move(out_);
  }

private:
  std::string key(std::string_view name) {
    known_.insert(prefix_ + std::string(name));
    return prefix_ + std::string(name);
  }
  /// A float as people wrote it: 1e-05, not 9.999999747378752e-06.
  Json number(float value) const {
    if (!std::isfinite(value)) fail(ErrorCode::InvalidFile, header_.path(), ": a setting is ", value);
    return Json::parse(concat(value));
  }
  std::optional<uint32_t> find(std::string_view name) { return header_.find<uint32_t>(key(name)); }
  uint32_t get(std::string_view name) { return header_.get<uint32_t>(key(name)); }
  [[noreturn]] void refuse(std::string_view name) {
    fail(ErrorCode::Unsupported, header_.path(), ": metadata '", prefix_, name, "' is ",
         header_.has(key(name)) ? to_text(header_.value(key(name))) : "missing",
         ", which fovea convert cannot do");
  }

  void token(const char *name, std::string_view gguf) {
    if (const auto id = header_.find<uint32_t>(gguf)) out_[name] = *id;
  }

  /// What llama.cpp knows of the family and its files do not say.
  void gemma(uint32_t width_per_head, uint32_t head) {
    constexpr uint32_t kLayersOf27B = 62; // whose query scale is not the head's size
    out_["hidden_activation"] = "gelu_pytorch_tanh";
    out_["query_pre_attn_scalar"] = get("block_count") == kLayersOf27B ? width_per_head : head;
    const auto window = find("attention.sliding_window");
    out_["sliding_window"] = window.value_or(0);
    out_["sliding_window_pattern"] = window ? find("attention.sliding_window_pattern").value_or(6) : 1;
    out_["rope_local_base_freq"] = number(header_.find<float>(key("rope.freq_base_swa")).value_or(10000.f));
    if (const auto cap = header_.find<float>(key("final_logit_softcapping")))
      out_["final_logit_softcapping"] = number(*cap);
  }

  void rope(uint32_t head, std::span<const float> factors) {
    const float base = header_.find<float>(key("rope.freq_base")).value_or(family_.gemma ? 1e6f : 10000.f);
    out_["rope_theta"] = number(base);
    if (const uint32_t rotated = find("rope.dimension_count").value_or(head); rotated != head)
      out_["partial_rotary_factor"] = double(rotated) / head;
    const auto type = header_.find<std::string_view>(key("rope.scaling.type")).value_or("none");
    (void)key("rope.scaling.finetuned");
    Json scaling;
    if (type == "linear") {
      scaling = {{"rope_type", "linear"}, {"factor", number(header_.get<float>(key("rope.scaling.factor")))}};
    } else if (type == "yarn") {
      scaling = {{"rope_type", "yarn"},
                 {"factor", number(header_.get<float>(key("rope.scaling.factor")))},
                 {"original_max_position_embeddings", get("rope.scaling.original_context_length")}};
      for (const char *beta : {"beta_fast", "beta_slow"})
        if (const auto value = header_.find<float>(key(concat("rope.scaling.yarn_", beta))))
          scaling[beta] = number(*value);
      if (const auto truncate = header_.find<bool>(key("rope.scaling.yarn_truncate")))
        scaling["truncate"] = *truncate;
      for (const char *name :
           {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor", "rope.scaling.attn_factor"})
        if (header_.find<float>(key(name)).value_or(1) != 1) refuse(name);
    } else if (type != "none") {
      refuse("rope.scaling.type");
    } else if (const auto linear = header_.find<float>(key("rope.scale_linear")); linear && *linear != 1) {
      scaling = {{"rope_type", "linear"}, {"factor", number(*linear)}}; // older files
    } else {
      for (const char *name : {"rope.scaling.factor", "rope.scaling.attn_factor"})
        if (header_.find<float>(key(name)).value_or(1) != 1) refuse(name);
      (void)key("rope.scaling.original_context_length");
    }
    if (!factors.empty()) {
      if (!scaling.is_null()) refuse("rope.scaling.type"); // and factors
      if (factors.size() != head / 2)
        fail(ErrorCode::InvalidFile, header_.path(), ": rope_freqs.weight has ", factors.size(), " factors, ",
             head / 2, " expected");
      scaling = llama3(factors, base, head);
      if (scaling.is_null())
        scaling = {{"rope_type", "longrope"}, // frequencies divided by numbers: no formula fits
                   {"short_factor", std::vector<float>(factors.begin(), factors.end())},
                   {"long_factor", std::vector<float>(factors.begin(), factors.end())},
                   {"attention_factor", 1.0},
                   {"original_max_position_embeddings", get("context_length")}};
    }
    if (!scaling.is_null()) out_["rope_scaling"] = std::move(scaling);
  }

  /// The settings that give these factors (Llama 3.1: long waves stretched, short ones kept, between them a
  /// blend that depends on the old context), or null.
  Json llama3(std::span<const float> factors, float base, uint32_t head) const {
    constexpr double kLow = 1, kHigh = 4; // of every published model
    const double factor = *std::max_element(factors.begin(), factors.end());
    if (!(factor > 1) || !std::isfinite(factor)) return {};
    const auto wave = [&](size_t i) {
      return 2 * std::numbers::pi * std::pow(double(base), 2.0 * double(i) / head);
    };
    const auto fits = [&](double context) {
      for (size_t i = 0; i < factors.size(); ++i) {
        const double blend = std::clamp((context / wave(i) - kLow) / (kHigh - kLow), 0.0, 1.0);
        if (!(std::abs(factors[i] * ((1 - blend) / factor + blend) - 1) < 1e-5)) return false;
      }
      return true;
    };
    std::vector<double> contexts = {8192};
    for (size_t i = 0; i < factors.size(); ++i) {
      const double blend = (1.0 / factors[i] - 1 / factor) / (1 - 1 / factor);
      if (blend > 0.01 && blend < 0.99)
        contexts.push_back(std::round(wave(i) * (blend * (kHigh - kLow) + kLow)));
    }
    for (const double context : contexts)
      if (context >= 1 && context < 1e9 && fits(context))
        return {{"rope_type", "llama3"},
                {"factor", number(float(factor))},
                {"low_freq_factor", kLow},
                {"high_freq_factor", kHigh},
                {"original_max_position_embeddings", uint32_t(context)}};
    return {};
  }

  /// A setting that is not known may change what is computed.
  void refuse_unknown() {
    if (header_.find<uint32_t>(key("expert_count")).value_or(0) != 0) refuse("expert_count");
    if (header_.find<uint32_t>(key("expert_used_count")).value_or(0) != 0) refuse("expert_used_count");
    if (!header_.find<bool>(key("attention.causal")).value_or(true)) refuse("attention.causal");
    for (const char *name : {"vocab_size", "tensor_data_layout", "pooling_type", "attention.sliding_window"})
      (void)key(name);
    for (const std::string_view name : header_.keys(prefix_))
      if (!known_.contains(std::string(name))) refuse(name.substr(prefix_.size()));
  }

  const GgufHeader &header_;
  const GgufFamily &family_;
  std::string prefix_;
  std::set<std::string> known_;
  Json out_;
};

} // namespace

Json gguf_config(const GgufHeader &header, const GgufFamily &family, std::span<const float> rope_factors,
                 const std::vector<std::string> &names) {
  return ConfigWriter(header, family).write(rope_factors, names);
}

} // namespace fovea
