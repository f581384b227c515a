// Embeddings and labels of texts: batches equal one at a time, odd texts, and what eight bits cost.
#include "models/golden.h"
#include "tasks/classify_text.h"
#include "tasks/embed.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

template <class Task> Task make(const std::string &folder, Encoding encoding) {
  auto model = converted(folder, encoding);
  auto weights = DeviceWeights::load(test_device(), model);
  return Task(test_device(), std::move(model), std::move(weights));
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += double(a[i]) * b[i];
    aa += double(a[i]) * a[i];
    bb += double(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

std::vector<std::string> texts() {
  std::vector<std::string> out = {"", " ", "the quick brown fox", "\xff\xfe not UTF-8", "注意力 \U0001F600",
                                  "a"};
  std::string text;
  for (int i = 0; i < 40; ++i) out.push_back(text += i % 3 ? "over the lazy dog " : "3.14 ");
  return out;
}

void check_close(const std::vector<float> &got, const std::vector<float> &want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(std::abs(double(got[i]) - want[i]) <= 1e-4);
}

} // namespace

TEST_CASE("embed: batches equal one at a time; empty, unknown and too long texts have a vector") {
  const std::string folder = shared_path("golden/cases/bert");
  if (folder.empty()) return;
  auto embedder = make<Embedder>(folder, Encoding::F32);
  const std::vector<std::string> all = texts();
  const auto together = embedder.embed(all);
  REQUIRE(together.size() == all.size());
  bool truncated = false;
  for (size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    check_close(together[i].values, embedder.embed(std::span(&all[i], 1))[0].values);
    truncated = truncated || together[i].truncated;
  }
  CHECK(truncated);
  CHECK(together.back().truncated);
  CHECK_FALSE(together[2].truncated);
  CHECK(embedder.embed({}).empty());
  CHECK(cosine(embedder.embed(std::vector<std::string>{"fox"}, "quick ")[0].values,
               embedder.embed(std::vector<std::string>{"quick fox"})[0].values) > 1 - 1e-6);
  const std::vector<std::vector<int32_t>> bad = {{1, 100000}}, none = {{}};
  CHECK_THROWS_WITH_AS(embedder.embed_tokens(bad), doctest::Contains("token 100000"), Error);
  CHECK_THROWS_WITH_AS(embedder.embed_tokens(none), doctest::Contains("0 tokens"), Error);
}

TEST_CASE("embed: q8 and f16 point where f32 does") {
  for (const char *name : {"golden/cases/bert", "models/rxnmapper-albert"}) {
    const std::string folder = shared_path(name);
    if (folder.empty()) return;
    const Source golden = open_safetensors(folder + "/golden.safetensors");
    const HostTensor rows = read_safetensor(golden, "input.tokens");
    std::vector<std::vector<int32_t>> ids;
    for (uint64_t b = 0; b < rows.type.shape[0]; ++b)
      ids.emplace_back(rows.i.begin() + ptrdiff_t(b * rows.type.shape[1]),
                       rows.i.begin() + ptrdiff_t((b + 1) * rows.type.shape[1]));
    const auto exact = make<Embedder>(folder, Encoding::F32).embed_tokens(ids);
    for (const Encoding encoding : {Encoding::F16, Encoding::Q8}) {
      const auto got = make<Embedder>(folder, encoding).embed_tokens(ids);
      for (size_t i = 0; i < ids.size(); ++i) {
        const double c = cosine(got[i].values, exact[i].values);
        MESSAGE(concat(name, " ", encoding, ": cosine ", c));
        CHECK(c >= 0.999);
      }
    }
  }
}

TEST_CASE("classify: scores are those of the logits; batches equal one at a time") {
  for (const char *name : {"bert_classifier", "distilbert_classifier"}) {
    const std::string folder = shared_path(concat("golden/cases/", name));
    if (folder.empty()) return;
    const Source golden = open_safetensors(folder + "/golden.safetensors");
    const HostTensor tokens = read_safetensor(golden, "input.tokens"),
                     logits = read_safetensor(golden, "output.logits");
    auto classifier = make<TextClassifier>(folder, Encoding::F32);
    const size_t n_labels = logits.type.shape[1];
    CHECK(classifier.labels().size() == n_labels);
    if (std::string(name) == "distilbert_classifier") { // the other's golden has kinds of tokens
      const std::vector<std::vector<int32_t>> first = {
          {tokens.i.begin(), tokens.i.begin() + ptrdiff_t(tokens.type.shape[1])}};
      std::vector<float> want(logits.f.begin(), logits.f.begin() + ptrdiff_t(n_labels));
      to_scores(ScoreFunction::Softmax, want);
      check_close(classifier.classify_tokens(first)[0].values, want);
    }
    const std::vector<std::string> all = texts();
    const auto together = classifier.classify(all);
    for (size_t i = 0; i < all.size(); i += 5) {
      check_close(together[i].values, classifier.classify(std::span(&all[i], 1))[0].values);
      double sum = 0;
      for (const float v : together[i].values) sum += double(v);
      CHECK(sum == doctest::Approx(1));
    }
  }
}

TEST_CASE("scores: softmax, each by itself, or as they are") {
  std::vector<float> v = {1000, 1000, -1000};
  to_scores(ScoreFunction::Softmax, v);
  CHECK(v == std::vector<float>{0.5f, 0.5f, 0});
  v = {0, 1000, -1000};
  to_scores(ScoreFunction::Sigmoid, v);
  CHECK(v == std::vector<float>{0.5f, 1, 0});
  v = {-3, 7};
  to_scores(ScoreFunction::None, v);
  CHECK(v == std::vector<float>{-3, 7});
}
