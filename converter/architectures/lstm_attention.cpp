// The classic recurrent text classifier: embedding → LSTM or GRU layers, one or both directions → additive
// attention (Bahdanau et al., 2015; Yang et al., 2016) → softmax over classes. A PyTorch module's state_dict
// with a config.json: cell, sizes and depth are read from the tensors, and a configuration that says
// otherwise is refused.
#include "converter/architectures/architecture.h"
#include "converter/json.h"
#include "graph/graph.h"
#include "ops/copy.h"
#include "ops/embed.h"
#include "ops/gru.h"
#include "ops/linear.h"
#include "ops/lstm.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/weighted_sum.h"

#include <filesystem>

namespace fovea {
namespace {

struct Sizes {
  std::string rnn; // prefix of the layers' tensors: "lstm."
  uint32_t gates = 0;
  uint64_t vocabulary = 0, embedding = 0, hidden = 0, attention = 0, classes = 0;
  uint32_t layers = 0;
  bool bidirectional = false, bias = false;
  uint32_t directions() const { return bidirectional ? 2 : 1; }
  bool lstm() const { return gates == 4; }
};

const Shape &shape_of(const Source &source, const std::string &name, int rank = 2) {
  const SourceTensor *t = source.find(name);
  if (!t) fail(ErrorCode::InvalidFile, source.path(), ": no tensor '", name, "'");
  if (t->shape.rank() != rank || t->shape.elements() == 0)
    fail(ErrorCode::InvalidFile, source.path(), ": tensor '", name, "' is ", t->shape);
  return t->shape;
}

/// What the configuration says must be what the tensors are.
void check_config(const Source &source, const Sizes &s) {
  const Config c = Config::parse(*source.text("config.json"), source.text_path("config.json"));
  const auto check = [&](std::initializer_list<const char *> keys, uint64_t found) {
    for (const char *key : keys)
      if (const auto said = c.find_u32(key); said && *said != found)
        fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is ", *said, ", the tensors have ", found);
  };
  check({"vocab_size"}, s.vocabulary);
  check({"embedding", "embedding_dim", "embedding_size"}, s.embedding);
  check({"hidden", "hidden_size"}, s.hidden);
  check({"layers", "num_layers", "num_hidden_layers"}, s.layers);
  check({"classes", "num_classes", "num_labels"}, s.classes);
  if (const auto said = c.find_bool("bidirectional"); said && *said != s.bidirectional)
    fail(ErrorCode::InvalidFile, c.path(), ": bidirectional is ", *said, ", the tensors say otherwise");
}

Sizes read_sizes(const Source &source) {
  Sizes s;
  for (const SourceTensor &t : source.tensors()) {
    if (t.name.ends_with("weight_ih_l0")) s.rnn = t.name.substr(0, t.name.size() - 12);
    if (t.name.find("weight_hr_l") != std::string::npos)
      fail(ErrorCode::Unsupported, source.path(), ": tensor '", t.name,
           "': LSTMs with a projection are not supported");
  }
  const Shape &recurrent = shape_of(source, s.rnn + "weight_hh_l0");
  s.hidden = recurrent[1];
  s.gates = recurrent[0] % s.hidden == 0 ? uint32_t(recurrent[0] / s.hidden) : 0;
  if (s.gates != 4 && s.gates != 3)
    fail(ErrorCode::Unsupported, source.path(), ": tensor '", s.rnn, "weight_hh_l0' ", recurrent,
         " is neither of an LSTM nor of a GRU");
  s.bidirectional = source.find(s.rnn + "weight_ih_l0_reverse") != nullptr;
  s.bias = source.find(s.rnn + "bias_ih_l0") != nullptr;
  while (source.find(concat(s.rnn, "weight_ih_l", s.layers))) ++s.layers;
  s.vocabulary = shape_of(source, "embedding.weight")[0];
  s.embedding = shape_of(source, "embedding.weight")[1];
  s.attention = shape_of(source, "attn.weight")[0];
  s.classes = shape_of(source, "out.weight")[0];
  check_config(source, s);
  return s;
}

/// Columns `first` … of a [rows, columns] matrix.
Combine columns(uint64_t width, uint64_t first, uint64_t count) {
  return [=](std::span<const std::vector<float>> inputs) {
    std::vector<float> out;
    out.reserve(inputs[0].size() / width * count);
    for (size_t row = 0; row < inputs[0].size(); row += width)
      out.insert(out.end(), inputs[0].begin() + std::ptrdiff_t(row + first),
                 inputs[0].begin() + std::ptrdiff_t(row + first + count));
    return out;
  };
}

std::vector<float> sum(std::span<const std::vector<float>> inputs) {
  std::vector<float> out = inputs[0];
  for (size_t i = 0; i < out.size(); ++i) out[i] += inputs[1][i];
  return out;
}

/// The two directions of a layer are never joined: a matrix that reads both is two, whose products are added.
class Tensors {
public:
  Tensors(const Source &source, const Sizes &s, ModelPlan &plan) : source_(source), s_(s), plan_(plan) {}

  void add_all() {
    plan_.add_tensor("embedding", {s_.vocabulary, s_.embedding}, TensorClass::Vocabulary, "embedding.weight");
    for (uint32_t i = 0; i < s_.layers; ++i)
      for (uint32_t d = 0; d < s_.directions(); ++d) layer(i, d);
    wide("attention", "attn", s_.attention);
    plan_.add_tensor("score.w", {1, s_.attention}, TensorClass::Delicate, "score.weight");
    bias("score", "score", 1);
    wide("out", "out", s_.classes);
  }

private:
  void layer(uint32_t i, uint32_t d) {
    const std::string to = concat("layer.", i, d ? ".back" : ".forth"),
                      from = concat("_l", i, d ? "_reverse" : "");
    const uint64_t rows = s_.gates * s_.hidden;
    const std::string input = concat(s_.rnn, "weight_ih", from);
    if (i == 0)
      plan_.add_tensor(to + ".x.w", {rows, s_.embedding}, matrix_class(s_.hidden), input);
    else
      halves(to + ".x", input, rows);
    const std::string input_bias = concat(s_.rnn, "bias_ih", from),
                      hidden_bias = concat(s_.rnn, "bias_hh", from);
    if (s_.bias && s_.lstm()) // its gates add both
      plan_.tensors.push_back({to + ".x.b",
                               {rows},
                               TensorClass::Exact,
                               {{input_bias, {rows}}, {hidden_bias, {rows}}},
                               [](auto inputs) { return sum(inputs); }});
    else if (s_.bias)
      plan_.add_tensor(to + ".x.b", {rows}, TensorClass::Exact, input_bias);
    plan_.add_tensor(to + ".h.w", {rows, s_.hidden}, TensorClass::Delicate,
                     concat(s_.rnn, "weight_hh", from));
    if (s_.bias && !s_.lstm()) plan_.add_tensor(to + ".h.b", {rows}, TensorClass::Exact, hidden_bias);
  }
  void wide(const std::string &to, const std::string &from, uint64_t rows) {
    halves(to, from + ".weight", rows);
    bias(to, from, rows);
  }
  void halves(const std::string &to, const std::string &from, uint64_t rows) {
    const uint64_t width = s_.directions() * s_.hidden;
    for (uint32_t d = s_.directions(); d-- > 0;)
      plan_.tensors.push_back({d ? to + ".back.w" : to + ".w",
                               {rows, s_.hidden},
                               matrix_class(s_.hidden),
                               {{from, {rows, width}}},
                               columns(width, d * s_.hidden, s_.hidden)});
  }
  void bias(const std::string &to, const std::string &from, uint64_t rows) {
    if (source_.find(from + ".bias")) plan_.add_tensor(to + ".b", {rows}, TensorClass::Exact, from + ".bias");
  }

  const Source &source_;
  const Sizes &s_;
  ModelPlan &plan_;
};

class Builder {
public:
  Builder(const char *name, const Sizes &sizes, const Source &source) : g(name), s_(sizes), source_(source) {}

  /// The rows of the last layer, by direction. `states`: carried from call to call.
  std::vector<Value> layers(Value x, bool states) {
    std::vector<Value> rows = {x};
    for (uint32_t i = 0; i < s_.layers; ++i) {
      std::vector<Value> next;
      for (uint32_t d = 0; d < s_.directions(); ++d) {
        const std::string at = concat("layer.", i, d ? ".back" : ".forth");
        const Value gates = matrix("gates", rows, at + ".x", s_.bias, Activation::None);
        const Value w = g.weight(at + ".h.w");
        const Value state =
            states ? g.state(concat("layer.", i), Encoding::F32, {"B", s_.lstm() ? 2 : 1, s_.hidden})
                   : Value{};
        if (s_.lstm())
          next.push_back(g.add("h", Lstm{{gates, w, {}, state, d == 1}}));
        else
          next.push_back(
              g.add("h", Gru{{gates, w, s_.bias ? g.weight(at + ".h.b") : Value{}, state, d == 1}}));
      }
      rows = std::move(next);
    }
    return rows;
  }

  /// act(W [x, y] + b), where W reads both directions.
  Value matrix(const char *name, const std::vector<Value> &x, const std::string &at, bool bias,
               Activation act) {
    Value back;
    if (x.size() == 2) back = g.add(name, Linear{x[1], g.weight(at + ".back.w"), {}, {}});
    return g.add(name, linear(x[0], at, bias, back, act));
  }

  Value embedded() {
    const Value tokens = g.input("tokens", Encoding::I32, {"B", "T"});
    return g.add("x", Embed{tokens, g.weight("embedding"), {}, {}});
  }

  void classify() {
    const std::vector<Value> h = layers(embedded(), false);
    const Value a = matrix("a", h, "attention", has("attn.bias"), Activation::Tanh);
    const Value score =
        g.add("score", linear(a, "score", has("score.bias"), {}, Activation::None)); // [B, T, 1]
    const Value weights = g.add("weights", Softmax{g.add("scores", Transpose{score})});
    std::vector<Value> pooled;
    for (const Value rows : h) pooled.push_back(g.add("pooled", WeightedSum{rows, weights}));
    g.output("probabilities", Softmax{matrix("logits", pooled, "out", has("out.bias"), Activation::None)});
    g.output("attention", Transpose{weights});
  }

  Graph g;

private:
  Linear linear(Value x, const std::string &at, bool bias, Value residual, Activation act) {
    Linear out{x, g.weight(at + ".w"), bias ? g.weight(at + ".b") : Value{}, residual, act};
    out.act_last = bool(residual) && act != Activation::None;
    return out;
  }
  bool has(const char *name) const { return source_.find(name) != nullptr; }

  const Sizes &s_;
  const Source &source_;
};

ModelPlan build(const Source &source, Encoding) {
  const Sizes sizes = read_sizes(source);
  ModelPlan plan;
  plan.architecture = "lstm_attention";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  Tensors(source, sizes, plan).add_all();

  Builder forward("forward", sizes, source);
  forward.classify();
  plan.graphs.emplace_back("forward", print_graph(forward.g));
  if (!sizes.bidirectional) { // in pieces: a direction back needs the end
    Builder step("step", sizes, source);
    step.g.output("hidden", Copy{step.layers(step.embedded(), true)[0]});
    plan.graphs.emplace_back("step", print_graph(step.g));
  }
  return plan;
}

} // namespace

extern const Architecture kLstmAttention;
const Architecture kLstmAttention = {"lstm_attention", {"lstm_attention", "gru_attention"}, build};

} // namespace fovea
