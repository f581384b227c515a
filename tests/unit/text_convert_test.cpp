// Text encoders and encoder-decoders: what the converter reads of configurations, and what it refuses.
#include "converter/architectures/architecture.h"
#include "converter/architectures/encoder_decoder.h"
#include "converter/architectures/sentence_embedding.h"
#include "converter/labels.h"
#include "support/text_source.h"

#include <doctest/doctest.h>

using namespace fovea;
using test::source_of;

namespace {

std::string refusal(const std::string &config) {
  const Source source = source_of({{"config.json", config}});
  try {
    plan_model(source, Encoding::F32);
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Unsupported);
    return e.what();
  }
  return "";
}

} // namespace

TEST_CASE("labels and what makes scores of logits") {
  const auto config = [](const char *text) { return Config::parse(text, "config.json"); };
  CHECK(read_labels(config(R"({"id2label": {"1": "b", "0": "a"}})"), 2) ==
        std::vector<std::string>{"a", "b"});
  CHECK(read_labels(config(R"({"label2id": {"b": 1}})"), 2) == std::vector<std::string>{"LABEL_0", "b"});
  CHECK(n_labels(config("{}")) == 2);
  CHECK_THROWS_WITH_AS(read_labels(config(R"({"id2label": {"7": "x"}})"), 1), doctest::Contains("class 7"),
                       Error);
  CHECK_THROWS_WITH_AS(read_labels(config(R"({"id2label": {"x": "y"}})"), 1), doctest::Contains("id2label"),
                       Error);
  CHECK(read_scores(config("{}"), 3) == "softmax");
  CHECK(read_scores(config("{}"), 1) == "sigmoid");
  CHECK(read_scores(config(R"({"problem_type": "multi_label_classification"})"), 3) == "sigmoid");
  CHECK(read_scores(config(R"({"problem_type": "regression"})"), 3) == "none");
}

TEST_CASE("variants that would compute something else are refused, by key and value") {
  CHECK(refusal(R"({"model_type": "bert", "position_embedding_type": "relative_key"})")
            .find("position_embedding_type 'relative_key'") != std::string::npos);
  CHECK(refusal(R"({"model_type": "bert", "is_decoder": true})").find("is_decoder is true") !=
        std::string::npos);
  CHECK(refusal(R"({"model_type": "bart", "normalize_before": true})").find("normalize_before is true") !=
        std::string::npos);
  CHECK(refusal(R"({"model_type": "marian", "static_position_embeddings": false})")
            .find("static_position_embeddings is false") != std::string::npos);
  CHECK(refusal(R"({"model_type": "bart", "architectures": ["BartForQuestionAnswering"]})")
            .find("BartForQuestionAnswering") != std::string::npos);
}

TEST_CASE("sentence embeddings: modules, pooling, limits") {
  const std::string
      transformer =
          R"({"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"})",
      pooling =
          R"({"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})",
      normalize =
          R"({"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})";
  const auto read = [&](const std::string &modules, const std::string &mode) {
    return read_sentence_embedding(source_of({{"modules.json", "[" + modules + "]"},
                                              {"1_Pooling/config.json", mode},
                                              {"sentence_bert_config.json", R"({"max_seq_length": 256})"}}));
  };
  const SentenceEmbedding plain = read_sentence_embedding(source_of({}));
  CHECK(plain.pooling == PoolFunction::Mean);
  CHECK_FALSE(plain.normalize);
  const SentenceEmbedding cls =
      read(transformer + "," + pooling + "," + normalize,
           R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})");
  CHECK(cls.pooling == PoolFunction::First);
  CHECK(cls.normalize);
  CHECK(cls.max_tokens == 256);
  CHECK(read(transformer + "," + pooling, R"({"pooling_mode": "max"})").pooling == PoolFunction::Max);
  CHECK_THROWS_WITH_AS(read(transformer + "," + pooling,
                            R"({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true})"),
                       doctest::Contains("pooling_mode_max_tokens"), Error);
  CHECK_THROWS_WITH_AS(
      read(transformer + R"(,{"type": "sentence_transformers.models.Dense", "path": "2_Dense"})", "{}"),
      doctest::Contains("'Dense'"), Error);
  CHECK_THROWS_WITH_AS(read(transformer + R"(,{"type": "x.Pooling", "path": "../secret"})", "{}"),
                       doctest::Contains("../secret"), Error);
}

TEST_CASE("buckets of distances, as published") {
  // Hugging Face transformers' T5Attention._relative_position_bucket.
  const auto both = [](int32_t d) { return distance_bucket(d, true, 32, 128); };
  const auto back = [](int32_t d) { return distance_bucket(d, false, 32, 128); };
  CHECK(both(0) == 0);
  CHECK(both(-7) == 7);
  CHECK(both(-8) == 8);
  CHECK(both(-16) == 10);
  CHECK(both(-127) == 15);
  CHECK(both(-128) == 15);
  CHECK(both(1) == 17);
  CHECK(both(500) == 31);
  CHECK(back(5) == 0);
  CHECK(back(-15) == 15);
  CHECK(back(-32) == 21);
  CHECK(back(-1000) == 31);
}
