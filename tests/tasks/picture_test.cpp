// Pictures classified, embedded and captioned: the reference implementation's numbers and words, from golden
// tensors and from pictures; batches equal one at a time.
#include "models/golden.h"
#include "support/picture.h"
#include "support/temp_folder.h"
#include "tasks/caption.h"
#include "tasks/classify_image.h"
#include "tasks/embed.h"
#include "tasks/embed_image.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace fovea;
using namespace fovea::test;
using nlohmann::json;

namespace {

json read_json(const std::string &path) {
  std::ifstream file(path);
  return json::parse(file);
}
json references() { return read_json(FOVEA_SOURCE_DIR "/tests/models/vision.json"); }

struct Picture {
  Picture(uint32_t w, uint32_t h) : width(w), height(h), rgb(formula_picture(w, h)) {}
  PixelView view() const { return {rgb.data(), width, height, 3, 0}; }
  uint32_t width, height;
  std::vector<uint8_t> rgb;
};

template <class Task> Task make(const std::string &folder, Encoding encoding = Encoding::F32) {
  const auto model = converted(folder, encoding);
  return Task(test_device(), model, DeviceWeights::load(test_device(), model));
}
ImageEncoder make_image_embedder(const std::string &folder) {
  const auto model = converted(folder, Encoding::F32);
  return image_embedder(test_device(), model, DeviceWeights::load(test_device(), model));
}

/// The case `clip` with a tokenizer that ends texts, as the reference was given it. "" where it is not there.
std::string clip_with_template(const json &post_processor) {
  static const TempFolder folder;
  const std::string source = shared_path("golden/cases/clip"), path = folder / "clip";
  if (source.empty() || std::filesystem::exists(path)) return source.empty() ? "" : path;
  std::filesystem::copy(source, path);
  json tokenizer = read_json(path + "/tokenizer.json");
  tokenizer["post_processor"] = post_processor;
  std::ofstream(path + "/tokenizer.json") << tokenizer.dump();
  return path;
}

std::vector<std::vector<int32_t>> rows_of(const HostTensor &tokens) {
  std::vector<std::vector<int32_t>> out;
  const auto width = ptrdiff_t(tokens.type.shape[1]);
  for (auto at = tokens.i.begin(); at != tokens.i.end(); at += width) out.emplace_back(at, at + width);
  return out;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const auto dot = [](std::span<const float> x, std::span<const float> y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

/// Rows of `got` against [rows, width] numbers.
template <class Rows> void check_rows(const Rows &got, const std::vector<float> &want, double tolerance) {
  size_t at = 0;
  for (const std::vector<float> &row : got)
    for (const float v : row) {
      REQUIRE(at < want.size());
      CHECK(std::abs(double(v) - want[at++]) <= tolerance);
    }
  CHECK(at == want.size());
}
std::vector<std::vector<float>> values(const std::vector<EncodedRow> &rows) {
  std::vector<std::vector<float>> out;
  for (const EncodedRow &row : rows) out.push_back(row.values);
  return out;
}

} // namespace

TEST_CASE("zero-shot: probabilities are those of the golden logits") {
  const std::string folder = shared_path("golden/cases/clip");
  if (folder.empty()) return;
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  HostTensor logits = read_safetensor(golden, "output.logits_per_image");
  const auto tokens = rows_of(read_safetensor(golden, "input.tokens"));
  auto classifier = make<ImageClassifier>(folder);
  CHECK(classifier.takes_labels());
  CHECK_THROWS_WITH_AS(classifier.classify({}), doctest::Contains("no labels of its own"), Error);
  classifier.set_label_tokens({"a", "b", "c"}, tokens);
  const auto got = classifier.classify_pixels(read_safetensor(golden, "input.pixels"));
  for (size_t i = 0; i < 2; ++i) to_scores(ScoreFunction::Softmax, std::span(logits.f).subspan(i * 3, 3));
  check_rows(values(got), logits.f, 1e-5);
  // What does not fit is refused, and the labels stay.
  CHECK_THROWS_WITH_AS(classifier.set_labels({}), doctest::Contains("0 labels"), Error);
  CHECK_THROWS_WITH_AS(classifier.set_labels({"a", ""}), doctest::Contains("0 bytes"), Error);
  CHECK_THROWS_WITH_AS(classifier.set_labels({"a"}, "a photo"), doctest::Contains("no {}"), Error);
  CHECK(classifier.labels().size() == 3);
}

TEST_CASE("zero-shot and embeddings: pictures and words as the reference has them, together and one by one") {
  const json want = references()["compared"];
  const std::string folder = clip_with_template(want["post_processor"]);
  if (folder.empty()) return;
  std::vector<Picture> pictures;
  for (const auto &size : want["pictures"])
    pictures.emplace_back(size[0].get<uint32_t>(), size[1].get<uint32_t>());
  std::vector<PixelView> views;
  for (const Picture &p : pictures) views.push_back(p.view());
  auto classifier = make<ImageClassifier>(folder);
  classifier.set_labels(want["labels"], want["template"].get<std::string>());
  auto images = make_image_embedder(folder);
  auto texts = make<Embedder>(folder);
  const auto together = classifier.classify(views);
  const auto embedded = images.encode(views, nullptr);
  for (size_t i = 0; i < views.size(); ++i) {
    CAPTURE(i);
    // A pixel may be off by one.
    check_rows(values({together[i]}), want["probabilities"][i], 2e-3);
    CHECK(cosine(embedded[i], want["image"][i].get<std::vector<float>>()) >= 0.99999);
    check_rows(values(classifier.classify(std::span(&views[i], 1))), together[i].values, 1e-5);
    check_rows(images.encode(std::span(&views[i], 1), nullptr), embedded[i], 1e-5);
  }
  const auto words = texts.embed(want["texts"].get<std::vector<std::string>>());
  for (size_t i = 0; i < words.size(); ++i)
    CHECK(cosine(words[i].values, want["text"][i].get<std::vector<float>>()) >= 0.99999);
}

TEST_CASE("embeddings: those of the golden case") {
  const std::string folder = shared_path("golden/cases/clip");
  if (folder.empty()) return;
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  const HostTensor image = read_safetensor(golden, "output.image"),
                   text = read_safetensor(golden, "output.text");
  const auto images =
      make_image_embedder(folder).encode_pixels(read_safetensor(golden, "input.pixels"), nullptr);
  check_rows(images, image.f, 1e-5);
  const auto texts = make<Embedder>(folder).embed_tokens(rows_of(read_safetensor(golden, "input.tokens")));
  check_rows(values(texts), text.f, 1e-5);
  const size_t width = image.type.shape[1];
  for (size_t i = 0; i < images.size(); ++i)
    CHECK(cosine(images[i], std::span(image.f).subspan(i * width, width)) >= 0.99999);
  for (size_t i = 0; i < texts.size(); ++i)
    CHECK(cosine(texts[i].values, std::span(text.f).subspan(i * width, width)) >= 0.99999);
}

TEST_CASE("classify: the golden case's logits; batches of many sizes equal one at a time") {
  const std::string folder = shared_path("golden/cases/vit");
  if (folder.empty()) return;
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  HostTensor logits = read_safetensor(golden, "output.logits");
  const size_t n_labels = logits.type.shape[1];
  auto classifier = make<ImageClassifier>(folder);
  CHECK_FALSE(classifier.takes_labels());
  CHECK_THROWS_WITH_AS(classifier.set_labels({"a"}), doctest::Contains("labels of its own"), Error);
  for (size_t i = 0; i < 2; ++i)
    to_scores(ScoreFunction::Softmax, std::span(logits.f).subspan(i * n_labels, n_labels));
  check_rows(values(classifier.classify_pixels(read_safetensor(golden, "input.pixels"))), logits.f, 1e-5);
  std::vector<Picture> pictures;
  for (uint32_t i = 0; i < 19; ++i) pictures.emplace_back(1 + 7 * i, 200 - 9 * i); // two batches and a part
  std::vector<PixelView> views;
  for (const Picture &p : pictures) views.push_back(p.view());
  const auto together = classifier.classify(views);
  REQUIRE(together.size() == views.size());
  for (size_t i = 0; i < views.size(); i += 3)
    check_rows(values(classifier.classify(std::span(&views[i], 1))), together[i].values, 1e-5);
  CHECK(classifier.classify({}).empty());
  const auto &rgb = pictures[0].rgb;
  for (const PixelView &bad : {PixelView{rgb.data(), 1, 10, 2, 0}, PixelView{nullptr, 1, 10, 3, 0},
                               PixelView{rgb.data(), 0, 10, 3, 0}, PixelView{rgb.data(), 1, 10, 3, 2}})
    CHECK_THROWS_AS(classifier.classify(std::span(&bad, 1)), Error);
  CHECK_THROWS_AS(classifier.classify_pixels(HostTensor({{1, 3, 47, 48}, Encoding::F32})), Error);
  CHECK_THROWS_AS(make<Captioner>(folder), Error); // another task
}

TEST_CASE("classify: real weights give the reference's top 5, in every encoding") {
  const std::string folder = shared_path("models/vit-tiny-patch16-224"), images = shared_path("images");
  if (folder.empty() || images.empty()) return;
  const json top5 = read_json(folder + "/references.json")["top5"];
  std::vector<Image> pictures;
  std::vector<PixelView> views;
  for (const auto &[name, top] : top5.items()) pictures.push_back(read_image(images + "/" + name));
  for (const Image &p : pictures) views.push_back(p.view());
  for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8}) {
    auto classifier = make<ImageClassifier>(folder, encoding);
    const auto results = classifier.classify(views);
    const double tolerance = encoding == Encoding::Q8 ? 0.05 : 0.01;
    size_t i = 0;
    for (const auto &[name, top] : top5.items()) {
      const std::string file = name;
      CAPTURE(file);
      const auto &scores = results[i++].values;
      const auto best = size_t(std::max_element(scores.begin(), scores.end()) - scores.begin());
      CHECK(best == top[0][0].get<size_t>());
      CHECK(classifier.labels()[best] == top[0][1].get<std::string>());
      for (const auto &one : top)
        CHECK(std::abs(double(scores[one[0].get<size_t>()]) - one[2].get<double>()) <= tolerance);
    }
  }
}

TEST_CASE("caption: the reference's tokens, greedy and with four beams, to the limit and to an end") {
  const std::string folder = shared_path("golden/cases/caption");
  if (folder.empty()) return;
  const HostTensor golden = read_safetensor(open_safetensors(folder + "/golden.safetensors"), "input.pixels");
  const json want = references()["captions"];
  const TempFolder temporary;
  const std::string ending = temporary / "caption"; // with end tokens that come
  std::filesystem::copy(folder, ending);
  json settings = read_json(ending + "/generation_config.json");
  const std::vector<int32_t> end = settings["eos_token_id"] = want["end"];
  std::ofstream(ending + "/generation_config.json") << settings.dump();
  auto captioner = make<Captioner>(folder), ends = make<Captioner>(ending);
  CaptionOptions options;
  options.max_new_tokens = 24;
  size_t n_ended = 0;
  for (const json &one : want["pictures"]) {
    const std::string name = one["picture"];
    CAPTURE(name);
    for (const auto &[key, beams, task] : {std::tuple{"greedy", 1u, &captioner},
                                           {"beam4", 4u, &captioner},
                                           {"greedy_ending", 1u, &ends},
                                           {"beam4_ending", 4u, &ends}}) {
      const std::string search = key;
      CAPTURE(search);
      options.n_beams = beams;
      Caption got;
      if (name == "golden") {
        got = task->caption_pixels(golden.f, options);
      } else {
        const Picture picture(uint32_t(std::stoul(name)),
                              uint32_t(std::stoul(name.substr(name.find('x') + 1))));
        got = task->caption(picture.view(), options);
      }
      CHECK(got.tokens == one[key].get<std::vector<int32_t>>());
      const bool ended = std::count(end.begin(), end.end(), got.tokens.back()) > 0;
      CHECK(got.ended == (task == &ends && ended));
      CHECK((got.score != 0) == (beams > 1));
      CHECK_FALSE(got.text.empty());
      n_ended += got.ended;
    }
  }
  CHECK(n_ended >= 2);
  options.n_beams = 0;
  CHECK_THROWS_AS(captioner.caption_pixels(golden.f, options), Error);
  options.n_beams = 1;
  CHECK_THROWS_WITH_AS(captioner.caption_pixels(std::span(golden.f).first(7), options),
                       doctest::Contains("7 numbers"), Error);
}
