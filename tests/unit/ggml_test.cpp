// whisper.cpp's ggml files: what is read, and what broken ones say.
#include "converter/json.h"
#include "converter/sources/source.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Sample {
  //                                  vocab ctx state head layer ctx state head layer mels ftype
  std::vector<int32_t> hyperparameters = {51864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1};
  std::vector<std::string> tokens = {"a", "", std::string("\xE2\x82\0", 3)};
  std::vector<GgmlTensor> tensors = {{"encoder.conv1.bias", 0, {2, 1}, raw(std::vector<float>{1, 2})},
                                     {"encoder.conv1.weight",
                                      1,
                                      {2, 1, 3},
                                      raw(std::vector<uint16_t>{0, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500})}};
  std::string bytes() const {
    return whisper_ggml(hyperparameters, 2, 3, {0, 1, 2, 3, 4, 5}, tokens, tensors);
  }
};

std::string fault(const TempFolder &folder, const std::string &bytes) {
  write_file(folder / "m.bin", bytes);
  try {
    (void)open_source(folder / "m.bin");
  } catch (const Error &error) {
    return std::string(error.what()).substr((folder / "m.bin: ").size());
  }
  return "read";
}

} // namespace

TEST_CASE("ggml: configuration, filters, vocabulary and tensors") {
  const TempFolder folder;
  REQUIRE(fault(folder, Sample().bytes()) == "read");
  const Source source = open_source(folder / "m.bin");
  const Config config = Config::parse(*source.text("config.json"), "config.json");
  CHECK(config.get_string("model_type") == "whisper");
  CHECK(config.get_u32("vocab_size") == 51864);
  CHECK(config.get_u32("d_model") == 384);
  CHECK(config.get_u32("max_source_positions") == 1500);
  CHECK(config.get_u32("max_target_positions") == 448);
  CHECK(config.get_u32("encoder_ffn_dim") == 1536);
  CHECK(config.get_u32("num_mel_bins") == 80);
  CHECK(source.vocabulary() == Sample().tokens);
  CHECK(source.find("mel_filters")->shape == Shape{2, 3});
  CHECK(source.read("mel_filters") == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(source.find("encoder.conv1.bias")->shape == Shape{2, 1});
  CHECK(source.read("encoder.conv1.bias") == std::vector<float>{1, 2});
  CHECK(source.read("encoder.conv1.weight") == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("ggml: faults are named") {
  const TempFolder folder;
  Sample sample;
  sample.hyperparameters[10] = 2002; // version 2 of Q4_0
  CHECK(fault(folder, sample.bytes()) ==
        "the model is block-quantized (ggml type 2); convert the f16 file and choose --encoding q8 or q4");
  sample = {};
  sample.tensors[1].type = 8;
  CHECK(fault(folder, sample.bytes())
            .starts_with("tensor 'encoder.conv1.weight' is block-quantized (ggml type 8)"));
  sample = {};
  sample.hyperparameters[4] = -1;
  CHECK(fault(folder, sample.bytes()) == "n_audio_layer is -1, expected 1 to 1024");
  sample = {};
  sample.hyperparameters[6] = 512;
  CHECK(fault(folder, sample.bytes()) == "n_audio_state 384 differs from n_text_state 512");
  sample = {};
  sample.tensors[1].name = sample.tensors[0].name;
  CHECK(fault(folder, sample.bytes()) == "tensor 'encoder.conv1.bias' is there twice");
  sample = {};
  sample.tensors[1].shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  CHECK(fault(folder, sample.bytes()).find("overflows") != std::string::npos);
  sample.tensors[1].shape = {1 << 20, 1 << 20};
  CHECK(fault(folder, sample.bytes()).starts_with("truncated: tensor 'encoder.conv1.weight'"));
  sample.tensors[1].shape = {2, 0};
  CHECK(fault(folder, sample.bytes()) == "tensor dimension is 0, expected 1 to 1073741824");
  sample = {};
  const std::string whole = sample.bytes();
  const size_t first_tensor = whole.find("encoder.conv1.bias") - 20; // a file may end between tensors
  const size_t second_tensor = whole.find("encoder.conv1.weight") - 24;
  for (size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK((fault(folder, whole.substr(0, n)) == "read") == (n == first_tensor || n == second_tensor));
  }
}

TEST_CASE("ggml: random damage is refused or harmless") {
  const TempFolder folder;
  const std::string whole = Sample().bytes();
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = whole;
    for (size_t n = 1 + random() % 3; n-- > 0;) damaged[random() % damaged.size()] = char(random());
    if (damaged.substr(0, 4) != whole.substr(0, 4) || fault(folder, damaged) != "read") continue;
    const Source source = open_source(folder / "m.bin");
    for (const SourceTensor &t : source.tensors()) (void)source.read(t.name);
  }
}
