// What a damaged or hostile configuration announces is refused before memory or time is taken for it.
#include "converter/architectures/architecture.h"
#include "support/text_source.h"

#include <doctest/doctest.h>

using namespace fovea;
using test::source_of;

namespace {

const std::string kConformer = R"({"model_type": "conformer_ctc", "hidden_size": 8, "intermediate_size": 16,
                                  "num_attention_heads": 2, )";

const std::string kLetters = R"({"a": 0})";

} // namespace

TEST_CASE("converter: sizes that no file can have are refused at once") {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "num_hidden_layers": 1048577})",
       "model/config.json: 'num_hidden_layers' is 1048577, and there are only 0 tensors"},
      {R"({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "num_conv_pos_embeddings": 1000003})",
       "num_conv_pos_embeddings is 1000003"},
      {kConformer + R"("num_hidden_layers": 65, "vocab_size": 3})",
       "'num_hidden_layers' is 65, and there are only 0 tensors"},
      {kConformer + R"("num_hidden_layers": 1, "vocab_size": 16777216})",
       "model: a vocabulary of 16777216 is announced"},
      {R"({"model_type": "vision-encoder-decoder", "encoder": {"num_hidden_layers": 1000}})",
       "'num_hidden_layers' is 1000, and there are only 0 tensors"},
      {R"({"model_type": "roberta", "architectures": ["RobertaModel"], "hidden_size": 4, "intermediate_size": 16,
           "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 1048582,
           "max_position_embeddings": 16, "type_vocab_size": 2})",
       "model: a vocabulary of 1048582 is announced, and no tensor has as many rows"},
      {R"({"model_type": "marian", "d_model": 8, "encoder_layers": 1, "decoder_layers": 1,
           "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24,
           "decoder_ffn_dim": 24, "vocab_size": 8388624, "max_position_embeddings": 2, "pad_token_id": 1,
           "eos_token_id": 2, "decoder_start_token_id": 4})",
       "model: a vocabulary of 8388624 is announced"}};
  for (const auto &[given, expected] : cases) {
    const std::string &config = given;
    CAPTURE(config);
    CHECK_THROWS_WITH_AS(
        (void)plan_model(source_of({{"config.json", config}, {"vocab.json", kLetters}}), Encoding::F32),
        doctest::Contains(expected.c_str()), Error);
  }
}

// Where a file has as many tensors.
TEST_CASE("converter: layers are bounded by the architectures as well") {
  const std::string cases[] = {
      R"({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "num_hidden_layers": 1025})",
      kConformer + R"("num_hidden_layers": 1025, "vocab_size": 3})"};
  for (const std::string &config : cases) {
    CAPTURE(config);
    const Source source = source_of({{"config.json", config}, {"vocab.json", kLetters}});
    CHECK_THROWS_WITH_AS((void)find_architecture(source).build(source, Encoding::F32),
                         doctest::Contains("num_hidden_layers is 1025, expected 1 to 1024"), Error);
  }
}
