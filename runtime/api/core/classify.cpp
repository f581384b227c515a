#include "api/core/pictures.h"
#include "api/core/texts.h"
#include "api/handles.h"

#include "tasks/classify_image.h"

#include <fovea/classify.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_classifier_options kClassifierDefaults = {sizeof(fovea_classifier_options), nullptr, nullptr};
const fovea_classify_options kClassifyDefaults = {sizeof(fovea_classify_options), nullptr};

} // namespace

struct fovea_classifier {
  std::optional<TextClassifier> texts; // one of the two
  std::optional<ImageClassifier> images;

  const std::vector<std::string> &labels() const { return texts ? texts->labels() : images->labels(); }
  /// Error Unsupported unless it classifies the one that was given.
  TextClassifier &for_texts() {
    if (!texts) fail(ErrorCode::Unsupported, images->model().path(), ": classifies pictures, not texts");
    return *texts;
  }
  ImageClassifier &for_images() {
    if (!images) fail(ErrorCode::Unsupported, texts->model().path(), ": classifies texts, not pictures");
    return *images;
  }
};

struct fovea_classifications {
  std::vector<EncodedRow> rows;
};

extern "C" {

void fovea_classifier_options_init(fovea_classifier_options *options, size_t struct_size) {
  write_struct(options, struct_size, kClassifierDefaults);
}
void fovea_classify_options_init(fovea_classify_options *options, size_t struct_size) {
  write_struct(options, struct_size, kClassifyDefaults);
}

fovea_status fovea_classifier_create(fovea_device *device, const fovea_model *model,
                                     const fovea_classifier_options *options, fovea_classifier **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_classifier_options given = read_struct(options, kClassifierDefaults, "classifier options");
    const Model &file = *model->model;
    if (!TextClassifier::accepts(file) && !ImageClassifier::accepts(file))
      fail(ErrorCode::Unsupported, file.path(), ": not a classifier of texts or pictures (its task is '",
           model->task, "')");
    auto weights = model->weights(*device, given.progress, given.user);
    auto made = std::make_unique<fovea_classifier>();
    if (TextClassifier::accepts(file))
      made->texts.emplace(device->device, model->model, std::move(weights));
    else
      made->images.emplace(device->device, model->model, std::move(weights));
    return made;
  });
}
void fovea_classifier_release(fovea_classifier *classifier) { delete classifier; }
const char *fovea_classifier_input(const fovea_classifier *classifier) {
  return !classifier ? "" : classifier->texts ? "text" : "image";
}
int fovea_classifier_takes_labels(const fovea_classifier *classifier) {
  return classifier && classifier->images && classifier->images->takes_labels() ? 1 : 0;
}
fovea_status fovea_classifier_set_labels(fovea_classifier *classifier, const char *const *labels,
                                         size_t n_labels, const char *around,
                                         const fovea_classify_options *options) {
  return guard([&] {
    ImageClassifier &images = require(classifier, "classifier")->for_images();
    const fovea_classify_options given = read_struct(options, kClassifyDefaults, "classify options");
    std::optional<std::string> place;
    if (around) place = around;
    images.set_labels(read_texts(labels, n_labels), place, flag(given.cancel));
  });
}
size_t fovea_classifier_label_count(const fovea_classifier *classifier) {
  return classifier ? classifier->labels().size() : 0;
}
const char *fovea_classifier_label(const fovea_classifier *classifier, size_t index) {
  return index < fovea_classifier_label_count(classifier) ? classifier->labels()[index].c_str() : nullptr;
}
fovea_status fovea_classifier_memory(const fovea_classifier *classifier, fovea_memory *memory) {
  return guard([&] {
    const fovea_classifier &c = *require(classifier, "classifier");
    write_memory(memory, c.texts ? c.texts->memory() : c.images->memory());
  });
}

fovea_status fovea_classify_texts(fovea_classifier *classifier, const char *const *texts, size_t n_texts,
                                  const fovea_classify_options *options, fovea_classifications **out) {
  return create(out, [&] {
    TextClassifier &task = require(classifier, "classifier")->for_texts();
    const fovea_classify_options given = read_struct(options, kClassifyDefaults, "classify options");
    return std::make_unique<fovea_classifications>(
        fovea_classifications{task.classify(read_texts(texts, n_texts), flag(given.cancel))});
  });
}
fovea_status fovea_classify_images(fovea_classifier *classifier, const fovea_pixels *pictures,
                                   size_t n_pictures, const fovea_classify_options *options,
                                   fovea_classifications **out) {
  return create(out, [&] {
    ImageClassifier &task = require(classifier, "classifier")->for_images();
    const fovea_classify_options given = read_struct(options, kClassifyDefaults, "classify options");
    return std::make_unique<fovea_classifications>(
        fovea_classifications{task.classify(read_pictures(pictures, n_pictures), flag(given.cancel))});
  });
}
size_t fovea_classifications_count(const fovea_classifications *classifications) {
  return classifications ? classifications->rows.size() : 0;
}
const float *fovea_classification_scores(const fovea_classifications *classifications, size_t index) {
  return index < fovea_classifications_count(classifications) ? classifications->rows[index].values.data()
                                                              : nullptr;
}
int fovea_classification_truncated(const fovea_classifications *classifications, size_t index) {
  return index < fovea_classifications_count(classifications) && classifications->rows[index].truncated ? 1
                                                                                                        : 0;
}
void fovea_classifications_release(fovea_classifications *classifications) { delete classifications; }

} // extern "C"
