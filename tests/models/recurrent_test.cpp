// The recurrent classifier: against the reference implementation's outputs, and against plain loops here for
// the cells, depths and directions that no golden case has.
#include "exec/tensors.h"
#include "models/golden.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr size_t kVocabulary = 11, kEmbedding = 6, kHidden = 10, kClasses = 3;
using Rows = std::vector<std::vector<double>>;
using Weights = std::map<std::string, std::vector<float>>;

struct Variant {
  const char *cell;
  size_t gates;
  int layers;
  bool bidirectional, bias;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Writes the model, with weights that the test keeps.
Weights write_model(const TempFolder &folder, const Variant &v, uint32_t seed) {
  std::vector<RawTensor> tensors;
  Weights out;
  const auto add = [&](const std::string &name, std::vector<uint64_t> shape) {
    const Shape s{std::span<const uint64_t>(shape)};
    out[name] = random_tensor({s, Encoding::F32}, seed++, 0.6f).f;
    tensors.push_back(f32_tensor(name, shape, out[name]));
  };
  const uint64_t width = v.bidirectional ? 2 * kHidden : kHidden, rows = v.gates * kHidden;
  add("embedding.weight", {kVocabulary, kEmbedding});
  for (int layer = 0; layer < v.layers; ++layer)
    for (const char *way : {"", "_reverse"}) {
      if (*way && !v.bidirectional) continue;
      const std::string at = concat("_l", layer, way);
      add(concat(v.cell, ".weight_ih", at), {rows, layer ? width : kEmbedding});
      add(concat(v.cell, ".weight_hh", at), {rows, kHidden});
      if (v.bias) add(concat(v.cell, ".bias_ih", at), {rows});
      if (v.bias) add(concat(v.cell, ".bias_hh", at), {rows});
    }
  add("attn.weight", {width, width});
  if (v.bias) add("attn.bias", {width});
  add("score.weight", {1, width});
  add("out.weight", {kClasses, width});
  if (v.bias) add("out.bias", {kClasses});
  write_file(folder / "model.safetensors", safetensors(tensors));
  write_file(folder / "config.json",
             concat(R"({"model_type":"lstm_attention","vocab_size":11,"hidden":10,"layers":)", v.layers,
                    R"(,"bidirectional":)", v.bidirectional, "}"));
  return out;
}

/// W x + b, where W is [n, x.size()].
std::vector<double> dense(const Weights &w, const std::string &weight, const std::string &bias,
                          const std::vector<double> &x) {
  const std::vector<float> &m = w.at(weight);
  std::vector<double> out(m.size() / x.size());
  for (size_t n = 0; n < out.size(); ++n) {
    out[n] = w.count(bias) ? double(w.at(bias)[n]) : 0.0;
    for (size_t k = 0; k < x.size(); ++k) out[n] += double(m[n * x.size() + k]) * x[k];
  }
  return out;
}

Rows walk(const Weights &w, const Variant &v, const std::string &at, const Rows &x, bool reverse) {
  Rows out(x.size());
  std::vector<double> h(kHidden), c(kHidden);
  for (size_t s = 0; s < x.size(); ++s) {
    const size_t t = reverse ? x.size() - 1 - s : s;
    const auto name = [&](const char *part) { return concat(v.cell, ".", part, at); };
    const auto in = dense(w, name("weight_ih"), name("bias_ih"), x[t]);
    const auto hid = dense(w, name("weight_hh"), name("bias_hh"), h);
    for (size_t j = 0; j < kHidden; ++j) {
      const auto sum = [&](size_t gate) { return in[gate * kHidden + j] + hid[gate * kHidden + j]; };
      if (v.gates == 4) {
        c[j] = sigmoid(sum(1)) * c[j] + sigmoid(sum(0)) * std::tanh(sum(2));
        h[j] = sigmoid(sum(3)) * std::tanh(c[j]);
      } else {
        const double n = std::tanh(in[2 * kHidden + j] + sigmoid(sum(0)) * hid[2 * kHidden + j]);
        h[j] = (1 - sigmoid(sum(1))) * n + sigmoid(sum(1)) * h[j];
      }
    }
    out[t] = h;
  }
  return out;
}

std::vector<double> softmax(std::vector<double> x) {
  double sum = 0;
  for (double &value : x) sum += value = std::exp(value);
  for (double &value : x) value /= sum;
  return x;
}

struct Expected {
  std::vector<float> probabilities, attention, last; // last: rows of the last layer
};

Expected classify(const Weights &w, const Variant &v, const std::vector<int32_t> &tokens) {
  Rows x;
  for (const int32_t id : tokens) {
    const float *row = &w.at("embedding.weight")[size_t(id) * kEmbedding];
    x.emplace_back(row, row + kEmbedding);
  }
  for (int layer = 0; layer < v.layers; ++layer) {
    Rows forth = walk(w, v, concat("_l", layer), x, false);
    if (v.bidirectional) {
      const Rows back = walk(w, v, concat("_l", layer, "_reverse"), x, true);
      for (size_t t = 0; t < x.size(); ++t) forth[t].insert(forth[t].end(), back[t].begin(), back[t].end());
    }
    x = forth;
  }
  std::vector<double> scores, pooled(x[0].size());
  for (const auto &row : x) {
    std::vector<double> a = dense(w, "attn.weight", "attn.bias", row);
    for (double &value : a) value = std::tanh(value);
    scores.push_back(dense(w, "score.weight", "score.bias", a)[0]);
  }
  const std::vector<double> weights = softmax(scores);
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t d = 0; d < pooled.size(); ++d) pooled[d] += weights[t] * x[t][d];
  const std::vector<double> p = softmax(dense(w, "out.weight", "out.bias", pooled));
  Expected out{{p.begin(), p.end()}, {weights.begin(), weights.end()}, {}};
  for (const auto &row : x) out.last.insert(out.last.end(), row.begin(), row.end());
  return out;
}

HostTensor tokens_tensor(std::vector<int32_t> tokens) {
  HostTensor out({{1, tokens.size()}, Encoding::I32});
  out.i = std::move(tokens);
  return out;
}

} // namespace

TEST_CASE("the golden recurrent classifier") { check_golden_case("lstm_attention"); }

TEST_CASE("recurrent classifiers: both cells, one or both directions, one layer or three") {
  uint32_t seed = 1;
  for (const Variant &v : {Variant{"lstm", 4, 1, false, true}, Variant{"lstm", 4, 3, true, false},
                           Variant{"gru", 3, 2, true, true}, Variant{"gru", 3, 1, false, true},
                           Variant{"rnn", 3, 2, false, false}}) {
    CAPTURE(v.cell);
    const TempFolder folder;
    const Weights w = write_model(folder, v, seed += 100);
    Session session = make_session(converted(folder.path(), Encoding::F32));
    const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5};
    const Expected want = classify(w, v, tokens);
    RunRequest request;
    request.inputs["tokens"] = tokens_tensor(tokens);
    NamedTensors out = run_model(session, request);
    CHECK(nmse(out.at("probabilities").f, want.probabilities) <= 1e-10);
    CHECK(nmse(out.at("attention").f, want.attention) <= 1e-10);

    if (v.bidirectional) {
      CHECK(session.model().graphs().size() == 1);
      continue;
    }
    // In three pieces: what the layers hold is carried from call to call.
    std::vector<float> rows;
    for (const auto &[first, n] : {std::pair<size_t, size_t>{0, 2}, {2, 1}, {3, 6}}) {
      RunRequest piece;
      piece.graph = "step";
      piece.keep_state = first > 0;
      piece.inputs["tokens"] =
          tokens_tensor({tokens.begin() + std::ptrdiff_t(first), tokens.begin() + std::ptrdiff_t(first + n)});
      const std::vector<float> part = run_model(session, piece).at("hidden").f;
      rows.insert(rows.end(), part.begin(), part.end());
    }
    CHECK(nmse(rows, want.last) <= 1e-10);
  }
}

TEST_CASE("recurrent classifiers: what does not fit is named") {
  const auto says = [](auto change) {
    const TempFolder folder;
    std::string config = R"({"model_type":"gru_attention"})";
    (void)write_model(folder, {"gru", 3, 1, false, true}, 5);
    change(config, folder);
    write_file(folder / "config.json", config);
    try {
      (void)convert(folder.path(), folder / "out", {Encoding::F32, 0, {}, false});
    } catch (const Error &e) {
      return std::string(e.what());
    }
    return std::string("converted");
  };
  CHECK(says([](auto &, auto &) {}) == "converted");
  CHECK(says([](auto &c, auto &) {
          c = R"({"model_type":"gru_attention","hidden":11})";
        }).ends_with("hidden is 11, the tensors have 10"));
  CHECK(says([](auto &c, auto &) {
          c = R"({"model_type":"gru_attention","bidirectional":true})";
        }).ends_with("bidirectional is true, the tensors say otherwise"));
  CHECK(says([](auto &, auto &folder) {
          write_file(folder / "model.safetensors",
                     safetensors({f32_tensor("rnn.weight_ih_l0", {2, 3}, std::vector<float>(6)),
                                  f32_tensor("rnn.weight_hh_l0", {2, 2}, std::vector<float>(4))}));
        }).ends_with("tensor 'rnn.weight_hh_l0' [2, 2] is neither of an LSTM nor of a GRU"));
}
