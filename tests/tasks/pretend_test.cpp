// Models under the limits of every profile, on the device at hand: the same tokens and labels as without.
// What a dispatch uses beyond a limit is an error of its own (vk/kernel_check.cpp).
#include "base/device_profile.h"
#include "converter/json.h"
#include "image/image.h"
#include "support.h"
#include "tasks/classify_image.h"
#include "tasks/generate.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <sstream>

using namespace fovea;
using namespace fovea::test;

namespace {

/// One device at a time: each has its own kernels.
std::shared_ptr<vk::Device> pretending(const std::string &profile) {
  vk::DeviceOptions options;
  options.tuning = false;
  options.pretend = profile;
  return vk::Device::open(options);
}

Json references(const std::string &folder) {
  std::stringstream text;
  text << std::ifstream(folder + "/references.json").rdbuf();
  return Json::parse(text.str());
}

std::vector<int32_t> heard(const std::shared_ptr<vk::Device> &device,
                           const std::shared_ptr<const Model> &model, const std::vector<float> &samples,
                           const TranscribeOptions &options) {
  Transcriber t(device, model, DeviceWeights::load(device, model), {});
  return all_tokens(t.transcribe(samples, options));
}

std::vector<int32_t> told(const std::shared_ptr<vk::Device> &device,
                          const std::shared_ptr<const Model> &model, const std::string &prompt,
                          uint32_t n_tokens) {
  Generator generator(device, model, DeviceWeights::load(device, model), {});
  GenerateOptions options;
  options.max_tokens = n_tokens;
  options.ignore_end = true;
  return generator.generate(prompt, options).tokens;
}

std::vector<size_t> seen(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                         const std::vector<Image> &pictures) {
  ImageClassifier classifier(device, model, DeviceWeights::load(device, model));
  std::vector<PixelView> views;
  for (const Image &p : pictures) views.push_back(p.view());
  std::vector<size_t> best;
  for (const EncodedRow &row : classifier.classify(views))
    best.push_back(size_t(std::max_element(row.values.begin(), row.values.end()) - row.values.begin()));
  return best;
}

} // namespace

TEST_CASE("pretend: a tiny speech model hears the same under every profile") {
  const Tiny tiny;
  const std::vector<float> samples = sound(0.5);
  std::vector<int32_t> want;
  for (const BuiltinProfile &profile : builtin_profiles()) {
    CAPTURE(profile.name);
    if (want.empty()) want = heard(pretending(""), tiny.model, samples, plain());
    REQUIRE(!want.empty());
    const auto device = pretending(profile.name);
    CHECK(device->caps().profile->name == profile.name);
    CHECK(heard(device, tiny.model, samples, plain()) == want);
  }
}

TEST_CASE("pretend: speech, text and pictures of real weights, the same under every profile" *
          doctest::test_suite("sweep")) {
  const std::string whisper = shared_path("models/whisper-tiny.en"),
                    stories = shared_path("models/stories260K"),
                    vit = shared_path("models/vit-tiny-patch16-224"), images = shared_path("images");
  if (whisper.empty() || stories.empty() || vit.empty() || images.empty()) return;
  const auto speech = converted(whisper, Encoding::F16), text = converted(stories, Encoding::F32),
             vision = converted(vit, Encoding::F16);
  std::vector<std::vector<float>> clips;
  for (const char *clip : {"jfk", "sb-spk1_snt1", "syn-10"})
    clips.push_back(read_audio(concat(whisper, "/clips/", clip, ".wav")).samples);
  std::vector<std::string> prompts;
  const Json told_before = references(stories), seen_before = references(vit);
  for (const auto &[prompt, reference] : told_before["prompts"].items()) prompts.push_back(prompt);
  std::vector<Image> pictures;
  for (const auto &[name, top] : seen_before["top5"].items())
    pictures.push_back(read_image(images + "/" + name));

  REQUIRE(!prompts.empty());
  REQUIRE(!pictures.empty());

  struct Results {
    std::vector<std::vector<int32_t>> transcripts, texts;
    std::vector<size_t> labels;
  };
  const auto run = [&](const std::string &profile) {
    const auto device = pretending(profile);
    Results out;
    for (const auto &clip : clips)
      out.transcripts.push_back(heard(device, speech, clip, as_reference(false)));
    for (const std::string &prompt : prompts) out.texts.push_back(told(device, text, prompt, 100));
    out.labels = seen(device, vision, pictures);
    return out;
  };
  const Results want = run("");
  for (const BuiltinProfile &profile : builtin_profiles()) {
    CAPTURE(profile.name);
    const Results got = run(profile.name);
    CHECK(got.transcripts == want.transcripts);
    CHECK(got.texts == want.texts);
    CHECK(got.labels == want.labels);
    size_t n_transcript_tokens = 0, n_tokens = 0;
    for (const auto &t : got.transcripts) n_transcript_tokens += t.size();
    for (const auto &t : got.texts) n_tokens += t.size();
    MESSAGE(concat("| ", profile.name, " | ", got.transcripts == want.transcripts, " | ",
                   got.texts == want.texts, " | ", got.labels == want.labels, " | ", n_transcript_tokens, " ",
                   n_tokens, " ", got.labels.size()));
  }
}
