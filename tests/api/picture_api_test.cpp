// Pictures through the C and C++ interfaces: statuses, lifetimes and what each handle says of itself.
#include "support/picture.h"
#include "support/shared_folder.h"
#include "support/temp_folder.h"

#include <fovea/caption.hpp>
#include <fovea/classify.hpp>
#include <fovea/convert.hpp>
#include <fovea/embed.hpp>

#include <cmath>
#include <cstring>

using namespace fovea::test;

namespace {

struct Case {
  explicit Case(const std::string &name) {
    const std::string source = shared_path("golden/cases/" + name);
    if (source.empty()) return;
    REQUIRE(fovea::convert(source, folder / "m.gguf"));
    model.emplace(fovea::Model::open(folder / "m.gguf").value());
  }
  TempFolder folder;
  std::optional<fovea::Model> model;
};

struct Pixels {
  Pixels(uint32_t width, uint32_t height)
      : rgb(formula_picture(width, height)), view{rgb.data(), width, height, 3, 0} {}
  std::vector<uint8_t> rgb;
  fovea_pixels view;
};

} // namespace

TEST_CASE("api: a classifier of pictures, of the caller's labels and of its own") {
  const Case clip("clip"), vit("vit"), bert("bert_classifier");
  if (!clip.model || !vit.model || !bert.model) return;
  const auto device = fovea::Device::open().value();
  const Pixels a(40, 31), b(7, 90), c(40, 31);
  auto open = fovea::Classifier::create(device, *clip.model).value();
  CHECK(open.input() == "image");
  CHECK(open.takes_labels());
  CHECK(open.labels().empty());
  CHECK(open.classify_images({a.view}).status() == FOVEA_INVALID_ARGUMENT);
  CHECK(open.set_labels({}).status() == FOVEA_INVALID_ARGUMENT);
  CHECK(open.set_labels({"x"}, "no place").status() == FOVEA_INVALID_ARGUMENT);
  REQUIRE(open.set_labels({"a cat", "a dog"}));
  CHECK(open.labels() == std::vector<std::string>{"a cat", "a dog"});
  CHECK(open.set_labels({"x", ""}).status() == FOVEA_INVALID_ARGUMENT);
  CHECK(open.labels().size() == 2); // as before
  const auto scores = open.classify_images({a.view, b.view, c.view}).value();
  REQUIRE(scores.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(scores.scores(i)[0] + scores.scores(i)[1] == doctest::Approx(1));
  CHECK(std::memcmp(scores.scores(0), scores.scores(2), 2 * sizeof(float)) == 0);
  CHECK(scores.scores(3) == nullptr);
  const auto texts = open.classify_texts({"hello"});
  CHECK(texts.status() == FOVEA_UNSUPPORTED);
  CHECK_MESSAGE(texts.message().find("m.gguf: classifies pictures, not texts") != std::string::npos,
                texts.message());
  CHECK(fovea_classifier_set_labels(open.get(), nullptr, 2, nullptr, nullptr) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_classifier_set_labels(nullptr, nullptr, 0, nullptr, nullptr) == FOVEA_INVALID_ARGUMENT);
  fovea_classifications *none = nullptr;
  CHECK(fovea_classify_images(open.get(), nullptr, 1, nullptr, &none) == FOVEA_INVALID_ARGUMENT);
  CHECK(none == nullptr);
  fovea_memory memory;
  fovea_memory_init(&memory, sizeof memory);
  CHECK(fovea_classifier_memory(open.get(), &memory) == FOVEA_OK);
  CHECK(memory.scratch_bytes > 0);

  auto cancel = fovea::Cancel::create().value();
  cancel.request();
  fovea::ClassifyOptions options;
  options.cancel = cancel.get();
  CHECK(open.classify_images({a.view}, options).status() == FOVEA_CANCELLED);
  CHECK(open.set_labels({"x"}, "", options).status() == FOVEA_CANCELLED);
  CHECK(open.labels().size() == 2);
  CHECK(open.classify_images({a.view})); // as good as before

  auto own = fovea::Classifier::create(device, *vit.model).value();
  CHECK_FALSE(own.takes_labels());
  CHECK(own.labels().size() == 7);
  CHECK(own.set_labels({"x"}).status() == FOVEA_INVALID_ARGUMENT);
  for (const fovea_pixels &bad :
       {fovea_pixels{nullptr, 4, 4, 3, 0}, fovea_pixels{a.rgb.data(), 0, 4, 3, 0},
        fovea_pixels{a.rgb.data(), 4, 4, 2, 0}, fovea_pixels{a.rgb.data(), 4, 4, 3, 11},
        fovea_pixels{a.rgb.data(), 65536, 4, 3, 0}})
    CHECK(own.classify_images({bad}).status() == FOVEA_INVALID_ARGUMENT);
  auto words = fovea::Classifier::create(device, *bert.model).value();
  CHECK(words.input() == "text");
  CHECK(words.classify_images({a.view}).status() == FOVEA_UNSUPPORTED);
  CHECK(words.set_labels({"x"}).status() == FOVEA_UNSUPPORTED);
  CHECK(fovea::Captioner::create(device, *vit.model).status() == FOVEA_UNSUPPORTED);
}

TEST_CASE("api: an embedder of pictures and texts") {
  const Case clip("clip"), dino("dinov2"), bert("bert");
  if (!clip.model || !dino.model || !bert.model) return;
  const auto device = fovea::Device::open().value();
  const Pixels a(40, 31), b(7, 90);
  auto both = fovea::Embedder::create(device, *clip.model).value();
  CHECK(both.takes_texts());
  CHECK(both.takes_images());
  const auto images = both.embed_images({a.view, b.view}).value();
  const auto texts = both.embed({"a cat"}).value();
  CHECK(images.size() == 2);
  CHECK(images.width() == texts.width());
  CHECK_FALSE(images.truncated(0));
  CHECK(both.embed_images({}).value().size() == 0);
  auto pictures = fovea::Embedder::create(device, *dino.model).value();
  CHECK_FALSE(pictures.takes_texts());
  CHECK(pictures.max_tokens() == 0);
  const auto refused = pictures.embed({"a cat"});
  CHECK(refused.status() == FOVEA_UNSUPPORTED);
  CHECK(refused.message().find("makes vectors of pictures, not of texts") != std::string::npos);
  CHECK(pictures.embed_images({a.view}));
  auto words = fovea::Embedder::create(device, *bert.model).value();
  CHECK_FALSE(words.takes_images());
  CHECK(words.embed_images({a.view}).status() == FOVEA_UNSUPPORTED);
  size_t n_calls = 0;
  struct Own {};
  const auto fresh = fovea::Model::open(dino.folder / "m.gguf").value(); // whose weights are not loaded
  CHECK_THROWS_AS((void)fovea::Embedder::create(device, fresh,
                                                [&](double, double) -> bool {
                                                  ++n_calls;
                                                  throw Own();
                                                }),
                  Own);
  CHECK(n_calls == 1);
}

TEST_CASE("api: a captioner") {
  const Case caption("caption");
  if (!caption.model) return;
  const auto device = fovea::Device::open().value();
  const Pixels a(40, 31);
  auto captioner = fovea::Captioner::create(device, *caption.model).value();
  CHECK(captioner.has_tokenizer());
  fovea::CaptionOptions options;
  options.max_tokens = 6;
  const auto greedy = captioner.caption(a.view, options).value();
  CHECK(greedy.tokens().size() == 7);
  CHECK(greedy.score() == 0);
  CHECK_FALSE(greedy.ended());
  CHECK(std::strlen(greedy.text()) > 0);
  options.beams = 3;
  const auto beams = captioner.caption(a.view, options).value();
  CHECK(beams.score() < 0);
  options.beams = 65;
  CHECK(captioner.caption(a.view, options).status() == FOVEA_INVALID_ARGUMENT);
  options.beams = 1;
  CHECK(captioner.caption({a.rgb.data(), 40, 31, 5, 0}, options).status() == FOVEA_INVALID_ARGUMENT);
  auto cancel = fovea::Cancel::create().value();
  cancel.request();
  options.cancel = cancel.get();
  CHECK(captioner.caption(a.view, options).status() == FOVEA_CANCELLED);
  options.cancel = nullptr;
  CHECK(captioner.caption(a.view, options).value().tokens() == greedy.tokens());
  fovea_caption *none = nullptr;
  CHECK(fovea_caption_image(captioner.get(), nullptr, nullptr, &none) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_caption_tokens(nullptr) == nullptr);
  CHECK(std::string(fovea_caption_text(nullptr)).empty());
  fovea_memory memory;
  fovea_memory_init(&memory, sizeof memory);
  CHECK(fovea_captioner_memory(captioner.get(), &memory) == FOVEA_OK);
  CHECK(memory.state_bytes > 0);
}
