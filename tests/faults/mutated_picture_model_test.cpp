// Damaged models of pictures, checksums ignored, through their tasks: classified, embedded, captioned. Each
// ends in an Error of one line, or in numbers; never in a crash or a huge allocation.
#include "faults/mutator.h"
#include "models/golden.h"
#include "support/picture.h"
#include "support/temp_folder.h"
#include "tasks/caption.h"
#include "tasks/classify_image.h"
#include "tasks/embed.h"
#include "tasks/embed_image.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint64_t kDeviceBytes = 48 << 20;
constexpr int kFiles = 300; // of each model

struct Driver {
  Driver() : rgb(formula_picture(40, 31)) {
    vk::DeviceOptions options;
    options.cache_folder = "";
    options.memory_bytes = kDeviceBytes;
    device = vk::Device::open(options);
  }

  /// Whether all went through.
  bool drive(const std::string &path) {
    try {
      all(path);
      return true;
    } catch (const Error &e) {
      const std::string_view text = e.what();
      // A picture may be too elongated for a damaged size: that is the caller's matter.
      CHECK_MESSAGE((text.starts_with(path) || e.code() == ErrorCode::InvalidArgument),
                    "does not name the file: ", text);
      CHECK_MESSAGE(text.find('\n') == text.npos, text);
      CHECK_MESSAGE(text.size() < 1000, text);
      // Weights may be anything, so may what comes of them.
      CHECK_MESSAGE((e.code() != ErrorCode::Internal || text.find(" gave ") != text.npos), text);
      return false;
    }
  }

  void all(const std::string &path) {
    const auto model = Model::open(path, {.verify = false});
    const auto weights = DeviceWeights::load(device, model);
    const PixelView view{rgb.data(), 40, 31, 3, 0};
    const std::vector<PixelView> two = {view, {rgb.data(), 31, 40, 3, 0}};
    if (ImageClassifier::accepts(*model)) {
      ImageClassifier classifier(device, model, weights);
      if (classifier.takes_labels()) classifier.set_labels({"a cat", "dog"});
      const auto rows = classifier.classify(two); // not in a CHECK, which would catch its errors
      CHECK(rows.size() == 2);
      for (const EncodedRow &row : rows) CHECK(row.values.size() == classifier.labels().size());
    }
    if (embeds_images(*model)) {
      const auto rows = image_embedder(device, model, weights).encode(two, nullptr);
      CHECK(rows.size() == 2);
    }
    if (Embedder::accepts(*model)) {
      const auto rows = Embedder(device, model, weights).embed(std::vector<std::string>{"a cat", "dog"});
      CHECK(rows.size() == 2);
    }
    if (model->file().find_string("fovea.task") != "caption") return;
    Captioner captioner(device, model, weights);
    CaptionOptions options;
    options.max_new_tokens = 5;
    for (const uint32_t beams : {1u, 3u}) {
      options.n_beams = beams;
      const Caption caption = captioner.caption(view, options);
      CHECK(caption.tokens.size() <= 7);
    }
  }

  std::vector<uint8_t> rgb;
  std::shared_ptr<vk::Device> device;
};

} // namespace

TEST_CASE("faults: a mutated model of pictures runs, or is refused in one line") {
  for (const char *name : {"vit", "clip", "caption"}) {
    const std::string source = shared_path(concat("golden/cases/", name));
    if (source.empty()) return;
    const TempFolder folder;
    const std::string path = folder / "m.gguf";
    ConvertOptions options;
    options.encoding = Encoding::F32;
    convert(source, path, options);
    Mutator mutator(path, 20240611);
    Driver driver;
    REQUIRE(driver.drive(path));
    int n_ran = 0;
    std::string faults;
    for (int i = 0; i < kFiles; ++i) {
      write_file(path, mutator.next(faults));
      INFO(name, " file ", i, ": ", faults);
      n_ran += driver.drive(path);
    }
    MESSAGE(concat(name, ": ", n_ran, " of ", kFiles, " ran"));
    CHECK(n_ran > 0);
    CHECK(n_ran < kFiles);
  }
}
