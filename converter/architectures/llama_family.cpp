#include "converter/architectures/llama_family.h"

#include "converter/architectures/activation.h"
#include "converter/architectures/generation.h"

namespace fovea {

CausalDecoder read_llama_sizes(const Config &c, const LlamaDefaults &defaults) {
  const auto size = [&](const char *key, uint32_t fallback) { return c.find_u32(key).value_or(fallback); };
  CausalDecoder d;
  d.architecture = defaults.architecture;
  d.vocabulary = size("vocab_size", defaults.vocabulary);
  d.context = size("max_position_embeddings", defaults.positions);
  d.width = size("hidden_size", defaults.width);
  d.ffn = size("intermediate_size", defaults.ffn);
  d.heads = size("num_attention_heads", defaults.heads);
  d.kv_heads = size("num_key_value_heads",
                    c.is_null("num_key_value_heads") || defaults.kv_heads == 0 ? d.heads : defaults.kv_heads);
  if (d.heads == 0 || d.width % d.heads != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": hidden_size ", d.width, " is no multiple of ", d.heads,
         " attention heads");
  d.head_size = size("head_dim", defaults.head_size ? defaults.head_size : d.width / d.heads);
  d.eps = float(c.find_number("rms_norm_eps").value_or(1e-6));
  d.act = read_activation(c, defaults.activation_key, defaults.activation);
  d.tied = c.find_bool("tie_word_embeddings").value_or(defaults.tied);
  const uint32_t n_layers = size("num_hidden_layers", defaults.layers);
  if (n_layers == 0 || n_layers > 1024)
    fail(ErrorCode::InvalidFile, c.path(), ": num_hidden_layers is ", n_layers, ", expected 1 to 1024");
  d.layers.resize(n_layers);
  if (const Json *q = c.find("quantization_config"))
    fail(ErrorCode::Unsupported, c.path(), ": quantization_config ",
         q->is_object() ? printable(Config(*q, c.path()).find_string("quant_method").value_or("")) : "",
         ": give the model before quantization, and --encoding q8 or q4");
  return d;
}

std::vector<std::string> read_layer_types(const Config &c, size_t n_layers) {
  std::vector<std::string> types;
  const Json *list = c.find("layer_types");
  if (!list) return types;
  if (!list->is_array() || list->size() != n_layers)
    fail(ErrorCode::InvalidFile, c.path(), ": 'layer_types' must name ", n_layers, " layers");
  for (const Json &type : *list) {
    if (type != "full_attention" && type != "sliding_attention")
      fail(ErrorCode::Unsupported, c.path(), ": layer_types has '",
           type.is_string() ? printable(type.get<std::string>()) : "no string",
           "' (full_attention and sliding_attention are supported)");
    types.push_back(type.get<std::string>());
  }
  return types;
}

void set_windows(CausalDecoder &d, const Config &c, const std::vector<std::string> &types, uint32_t window) {
  for (size_t i = 0; i < types.size() && i < d.layers.size(); ++i) {
    if (types[i] != "sliding_attention") continue;
    if (window == 0)
      fail(ErrorCode::InvalidFile, c.path(), ": layer ", i,
           " has sliding_attention, but there is no sliding_window");
    d.layers[i].window = window;
  }
}

namespace {

class Tensors {
public:
  Tensors(const CausalDecoder &d, const Source &source, const LlamaNames &names, ModelPlan &plan)
      : d_(d), names_(names), plan_(plan), prefix_(names.prefixes[0]), head_(names.heads[0]) {
    for (const char *prefix : names.prefixes)
      if (source.find(concat(prefix, "embed_tokens.weight"))) {
        prefix_ = prefix;
        break;
      }
    for (const char *head : names.heads)
      if (source.find(head)) {
        head_ = head;
        break;
      }
  }

  void add() {
    plan_.add_tensor("tok.w", {d_.vocabulary, d_.width}, TensorClass::Vocabulary,
                     prefix_ + "embed_tokens.weight");
    for (size_t i = 0; i < d_.layers.size(); ++i)
      layer(concat("dec.", i), concat(prefix_, "layers.", i, "."));
    norm("ln", prefix_ + "norm", d_.width, d_.logit_cap == 0 ? 1 : 1 / d_.logit_cap);
    if (d_.tied)
      for (const char *head : names_.heads) plan_.ignored.emplace_back(head);
    else
      plan_.add_tensor("head.w", {d_.vocabulary, d_.width}, TensorClass::Vocabulary, head_);
    plan_.ignored.push_back("*rotary_emb.inv_freq");
    plan_.ignored.insert(plan_.ignored.end(), names_.ignored.begin(), names_.ignored.end());
  }

private:
  void layer(const std::string &to, const std::string &from) {
    const uint64_t q = uint64_t(d_.heads) * d_.head_size, kv = uint64_t(d_.kv_heads) * d_.head_size;
    const TensorClass usual = matrix_class(d_.width);
    const std::string attention = from + "self_attn.", mlp = from + "mlp.";
    norm(to + ".ln", from + "input_layernorm", d_.width);
    const Part q_rows{attention + "q_proj", q}, k_rows{attention + "k_proj", kv},
        v_rows{attention + "v_proj", kv};
    switch (d_.qkv) {
    case QkvLayout::Joined:
      stacked(to + ".qkv", {q_rows, k_rows, v_rows}, d_.width, d_.qkv_bias, usual);
      break;
    case QkvLayout::ValuesApart: stacked(to + ".qk", {q_rows, k_rows}, d_.width, d_.qkv_bias, usual); break;
    case QkvLayout::Apart:
      stacked(to + ".q", {q_rows}, d_.width, d_.qkv_bias, usual);
      stacked(to + ".k", {k_rows}, d_.width, d_.qkv_bias, usual);
    }
    if (d_.qkv != QkvLayout::Joined)
      stacked(to + ".v", {v_rows}, d_.width, d_.qkv_bias, TensorClass::Delicate);
    if (d_.head_norm) {
      norm(to + ".q_ln", attention + "q_norm", d_.head_size);
      norm(to + ".k_ln", attention + "k_norm", d_.head_size);
    }
    linear(to + ".o", attention + "o_proj", d_.width, q, d_.o_bias, usual);
    if (names_.ln_after) norm(to + ".ln_after", from + names_.ln_after, d_.width);
    norm(to + ".ln_mlp", from + names_.ln_mlp, d_.width);
    paired(to + ".fc1.w", {d_.ffn, d_.width}, usual, mlp + "gate_proj.weight", mlp + "up_proj.weight");
    if (d_.mlp_bias)
      paired(to + ".fc1.b", {d_.ffn}, TensorClass::Exact, mlp + "gate_proj.bias", mlp + "up_proj.bias");
    linear(to + ".fc2", mlp + "down_proj", d_.width, d_.ffn, d_.mlp_bias, TensorClass::Delicate);
    if (names_.ln_mlp_after) norm(to + ".ln_mlp_after", from + names_.ln_mlp_after, d_.width);
  }
  struct Part {
    std::string from;
    uint64_t n;
  };
  /// One linear of the rows of several, one after the other.
  void stacked(const std::string &to, const std::vector<Part> &parts, uint64_t k, bool bias,
               TensorClass tensor_class) {
    OutputTensor w{to + ".w", {0, k}, tensor_class, {}, {}}, b{to + ".b", {0}, TensorClass::Exact, {}, {}};
    for (const Part &part : parts) {
      w.inputs.push_back({part.from + ".weight", {part.n, k}});
      b.inputs.push_back({part.from + ".bias", {part.n}});
      w.shape = w.shape.with(0, w.shape[0] + part.n);
      b.shape = b.shape.with(0, b.shape[0] + part.n);
    }
    plan_.tensors.push_back(std::move(w));
    if (bias) plan_.tensors.push_back(std::move(b));
  }
  void linear(const std::string &to, const std::string &from, uint64_t n, uint64_t k, bool bias,
              TensorClass tensor_class) {
    stacked(to, {{from, n}}, k, bias, tensor_class);
  }
  /// Rows of two tensors of `shape` in turn, as a gated linear reads them.
  void paired(const std::string &to, const Shape &shape, TensorClass tensor_class, std::string first,
              std::string second) {
    plan_.tensors.push_back({to,
                             shape.with(0, 2 * shape[0]),
                             tensor_class,
                             {{std::move(first), shape}, {std::move(second), shape}},
                             {},
                             true});
  }
  void norm(const std::string &to, const std::string &from, uint64_t size, float factor = 1) {
    const float added = names_.norms_from_zero ? 1.0f : 0.0f;
    OutputTensor out{to + ".g", {size}, TensorClass::Exact, {{from + ".weight", {size}}}, {}};
    if (added != 0 || factor != 1)
      out.combine = [added, factor](std::span<const std::vector<float>> inputs) {
        std::vector<float> gamma = inputs[0];
        for (float &g : gamma) g = (g + added) * factor;
        return gamma;
      };
    plan_.tensors.push_back(std::move(out));
  }

  const CausalDecoder &d_;
  const LlamaNames &names_;
  ModelPlan &plan_;
  std::string prefix_, head_;
};

} // namespace

void add_llama_tensors(const CausalDecoder &decoder, const Source &source, const LlamaNames &names,
                       ModelPlan &plan) {
  Tensors(decoder, source, names, plan).add();
}

ModelPlan plan_llama(CausalDecoder decoder, const Source &source, const Config &config,
                     const LlamaNames &names, Encoding encoding) {
  decoder.cache = cache_encoding(encoding);
  if (!decoder.head_norm) // q4 keeps values at q8, and one matrix has one encoding
    decoder.qkv = encoding == Encoding::Q4 && matrix_class(decoder.width) != TensorClass::Delicate
                      ? QkvLayout::ValuesApart
                      : QkvLayout::Joined;
  check_decoder(decoder, config);
  ModelPlan plan = start_decoder_plan(decoder, source);
  add_llama_tensors(decoder, source, names, plan);
  add_generation(decoder, source, config, plan);
  return plan;
}

} // namespace fovea
