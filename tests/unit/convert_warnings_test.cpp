// What the converter accepts by name, and what it says when a source lacks a file.
#include "converter/architectures/architecture.h"
#include "converter/architectures/ctc_tokens.h"
#include "converter/convert.h"
#include "converter/features/image_processor.h"
#include "converter/tokenizers/chat_template.h"
#include "converter/tokenizers/tokenizer.h"
#include "support/temp_folder.h"
#include "support/text_source.h"

#include <doctest/doctest.h>
#include <set>

using namespace fovea;
using test::source_of;

namespace {

Source of_type(const std::string &type) {
  return source_of({{"config.json", concat(R"({"model_type": ")", type, R"("})")}});
}

std::string text_of(const ModelPlan &plan, std::string_view key) {
  for (const auto &[name, value] : plan.metadata)
    if (name == key) return std::get<std::string>(value);
  return "";
}

bool has(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

ModelPlan ctc_plan(const std::vector<std::pair<std::string, std::string>> &texts) {
  ModelPlan plan;
  add_ctc_metadata(source_of(texts), Config::parse("{}", "config.json"), 4, {}, plan);
  return plan;
}

} // namespace

TEST_CASE("converter: every model type of the table is accepted once, named when another is refused, and "
          "documented") {
  std::string message;
  try {
    find_architecture(of_type("nonesuch"));
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Unsupported);
    message = e.what();
  }
  CHECK(has(message, "model type 'nonesuch' is not known"));
  const std::string models = test::read_file(FOVEA_SOURCE_DIR "/docs/models.md");
  std::set<std::string> seen;
  for (const Architecture &architecture : architectures()) {
    REQUIRE(architecture.model_types[0]);
    for (const char *type : architecture.model_types) {
      if (!type) break;
      CAPTURE(type);
      CHECK(seen.insert(type).second);
      CHECK(&find_architecture(of_type(type)) == &architecture);
      CHECK((has(message, concat(" ", type, ",")) || has(message, concat(" ", type, ")"))));
      CHECK(has(models, concat("`", type, "`")));
    }
  }
  CHECK_THROWS_AS(find_architecture(source_of({})), Error);
}

TEST_CASE("converter: a picture model without a processor's file says what stands for it") {
  const ImageProcessor assumed = read_image_processor(source_of({}), ImageProcessorType::Vit, 224);
  CHECK(assumed.assumed ==
        "model/preprocessor_config.json: is not there; pictures will be prepared with "
        "ViTImageProcessor's defaults (224 x 224, mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5), which "
        "may not be what the model was trained with");
  CHECK(has(read_image_processor(source_of({}), ImageProcessorType::Clip, 224).assumed,
            "(shorter side 224, the middle 224 x 224, mean 0.48"));
  CHECK(has(read_image_processor(source_of({}), ImageProcessorType::Detr, 800).assumed,
            "(shorter side 800, longer at most 1333, mean 0.485"));
  ModelPlan plan;
  add_preprocess(assumed, plan);
  CHECK(plan.warnings == std::vector{assumed.assumed});

  const Source given = source_of({{"preprocessor_config.json", R"({"size": 224})"}});
  const ImageProcessor read = read_image_processor(given, ImageProcessorType::Vit, 224);
  CHECK(read.assumed.empty());
  ModelPlan silent;
  add_preprocess(read, silent);
  CHECK(silent.warnings.empty());
}

TEST_CASE("converter: a source without a tokenizer says so, and what will not work") {
  ModelPlan plan;
  CHECK_FALSE(add_tokenizer(source_of({}), 4, "nothing will work", plan).has_value());
  REQUIRE(plan.warnings.size() == 1);
  CHECK(has(plan.warnings[0], "model: has no tokenizer (tokenizer.json, vocab.json"));
  CHECK(has(plan.warnings[0], "; nothing will work"));
  CHECK(plan.metadata.empty());

  ModelPlan whole;
  CHECK(add_tokenizer(source_of({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n"}}), 4, "", whole).has_value());
  CHECK(whole.warnings.empty());
  CHECK_FALSE(whole.metadata.empty());

  // Tasks that need words: the file says why it has none.
  const Source whisper = source_of({{"config.json", R"({"model_type": "whisper", "d_model": 64,
      "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 1, "decoder_attention_heads": 1,
      "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_mel_bins": 80, "vocab_size": 99,
      "max_source_positions": 1500, "max_target_positions": 64})"}});
  const ModelPlan speech = plan_model(whisper, Encoding::F32);
  REQUIRE(speech.warnings.size() == 1);
  CHECK(has(speech.warnings[0], "`fovea transcribe` will not work"));
  CHECK(text_of(speech, "fovea.task").empty());
  CHECK(text_of(speech, "fovea.task.missing") == "tokenizer");
}

TEST_CASE("converter: CTC models without letters say why") {
  const ModelPlan none = ctc_plan({});
  REQUIRE(none.warnings.size() == 1);
  CHECK(has(none.warnings[0], "model/vocab.json: is not there"));
  CHECK(text_of(none, "fovea.task.missing") == "tokenizer");
  const std::string vocabulary = R"({"<pad>": 0, "|": 1, "A": 2, "B": 3})";
  const ModelPlan phonemes =
      ctc_plan({{"vocab.json", vocabulary},
                {"tokenizer_config.json", R"({"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"})"}});
  REQUIRE(phonemes.warnings.size() == 1);
  CHECK(has(phonemes.warnings[0], "tokenizer_class is 'Wav2Vec2PhonemeCTCTokenizer'"));
  CHECK(text_of(phonemes, "fovea.task").empty());
  CHECK(text_of(phonemes, "fovea.task.missing") == "tokenizer");
  const ModelPlan assumed = ctc_plan({{"vocab.json", vocabulary}});
  REQUIRE(assumed.warnings.size() == 1);
  CHECK(has(assumed.warnings[0],
            "preprocessor_config.json: is not there; recordings are taken to be heard at 16000 Hz"));
  const ModelPlan whole = ctc_plan({{"vocab.json", vocabulary}, {"preprocessor_config.json", "{}"}});
  CHECK(whole.warnings.empty());
  CHECK(text_of(whole, "fovea.task") == "transcribe");
  CHECK(text_of(whole, "fovea.task.missing").empty());
}

TEST_CASE("converter: a chat template that is not known is said, none at all is not") {
  const auto warnings = [](const char *config) {
    ModelPlan plan;
    add_chat_format(source_of({{"tokenizer_config.json", config}}), plan);
    return plan.warnings;
  };
  CHECK(warnings("{}").empty());
  CHECK(warnings(R"({"chat_template": "<|im_start|>user <|im_end|>"})").empty());
  const auto unknown = warnings(R"({"chat_template": "{{ messages }}"})");
  REQUIRE(unknown.size() == 1);
  CHECK(has(unknown[0], "model: its chat template is none of those known (ChatML"));
  CHECK(has(unknown[0], "`fovea generate --chat` will not work"));
}

TEST_CASE("converter: the report has the plan's warnings") {
  const test::TempFolder folder;
  ModelPlan plan;
  plan.add_computed("t", {32}, TensorClass::Exact, [] { return std::vector<float>(32); });
  plan.warn("model: lacks ", 1);
  CHECK(convert(source_of({}), plan, folder / "m.gguf", {}).warnings ==
        std::vector<std::string>{"model: lacks 1"});
}
