#include "converter/sources/gguf_names.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr GgufFamily kFamilies[] = {
    {"llama", "llama", "LlamaForCausalLM", true, false},
    {"mistral3", "mistral", "MistralForCausalLM", true, false},
    {"qwen2", "qwen2", "Qwen2ForCausalLM", false, false},
    {"qwen3", "qwen3", "Qwen3ForCausalLM", false, false},
    {"gemma3", "gemma3_text", "Gemma3ForCausalLM", false, true},
};

struct Name {
  std::string_view gguf, hugging_face;
};
constexpr Name kTopNames[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};
constexpr Name kLayerNames[] = {{"attn_norm", "input_layernorm"},
                                {"attn_q", "self_attn.q_proj"},
                                {"attn_k", "self_attn.k_proj"},
                                {"attn_v", "self_attn.v_proj"},
                                {"attn_output", "self_attn.o_proj"},
                                {"attn_q_norm", "self_attn.q_norm"},
                                {"attn_k_norm", "self_attn.k_norm"},
                                {"ffn_gate", "mlp.gate_proj"},
                                {"ffn_up", "mlp.up_proj"},
                                {"ffn_down", "mlp.down_proj"},
                                {"post_attention_norm", "post_attention_layernorm"},
                                {"post_ffw_norm", "post_feedforward_layernorm"}};

std::string_view find(std::span<const Name> names, std::string_view gguf) {
  const auto at = std::find_if(names.begin(), names.end(), [&](const Name &n) { return n.gguf == gguf; });
  return at == names.end() ? std::string_view() : at->hugging_face;
}

} // namespace

const GgufFamily &gguf_family(const GgufHeader &header) {
  const auto name = header.get<std::string_view>("general.architecture");
  std::string known;
  for (const GgufFamily &family : kFamilies) {
    if (name == family.architecture) return family;
    known += concat(known.empty() ? "" : ", ", family.architecture);
  }
  if (name == "fovea")
    fail(ErrorCode::Unsupported, header.path(),
         ": already a flat file of fovea convert: run it as it is; for another encoding convert the original "
         "again");
  fail(ErrorCode::Unsupported, header.path(), ": a GGUF file of architecture '", printable(name),
       "' (known: ", known, "); give the Hugging Face folder that it was made from");
}

std::string hugging_face_name(const std::string &name, const GgufFamily &family) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return name;
  const std::string_view stem = std::string_view(name).substr(0, dot),
                         kind = std::string_view(name).substr(dot);
  if (kind != ".weight" && kind != ".bias") return name;
  if (const auto top = find(kTopNames, stem); !top.empty()) return concat(top, kind);
  const size_t end = stem.find('.', 4);
  if (!stem.starts_with("blk.") || end == std::string_view::npos) return name;
  const std::string_view part = stem.substr(end + 1);
  std::string_view layer = find(kLayerNames, part);
  if (part == "ffn_norm") layer = family.gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  if (layer.empty() || (part == "post_attention_norm" && !family.gemma)) return name;
  return concat("model.layers.", stem.substr(4, end - 4), ".", layer, kind);
}

} // namespace fovea
