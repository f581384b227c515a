#include "api/core/texts.h"
#include "api/handles.h"

#include "tasks/classify_text.h"

#include <fovea/classify.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_classifier_options kClassifierDefaults = {sizeof(fovea_classifier_options), nullptr, nullptr};
const fovea_classify_options kClassifyDefaults = {sizeof(fovea_classify_options), nullptr};

} // namespace

struct fovea_classifier {
  TextClassifier texts;
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
    if (!TextClassifier::accepts(*model->model))
      fail(ErrorCode::Unsupported, model->model->path(), ": not a classifier of texts (its task is '",
           model->task, "'); the graphs of a classifier of pictures run with fovea run");
    return std::make_unique<fovea_classifier>(fovea_classifier{
        TextClassifier(device->device, model->model, model->weights(*device, given.progress, given.user))});
  });
}
void fovea_classifier_release(fovea_classifier *classifier) { delete classifier; }
const char *fovea_classifier_input(const fovea_classifier *classifier) { return classifier ? "text" : ""; }
size_t fovea_classifier_label_count(const fovea_classifier *classifier) {
  return classifier ? classifier->texts.labels().size() : 0;
}
const char *fovea_classifier_label(const fovea_classifier *classifier, size_t index) {
  return index < fovea_classifier_label_count(classifier) ? classifier->texts.labels()[index].c_str()
                                                          : nullptr;
}
fovea_status fovea_classifier_memory(const fovea_classifier *classifier, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(classifier, "classifier")->texts.memory()); });
}

fovea_status fovea_classify_texts(fovea_classifier *classifier, const char *const *texts, size_t n_texts,
                                  const fovea_classify_options *options, fovea_classifications **out) {
  return create(out, [&] {
    require(classifier, "classifier");
    const fovea_classify_options given = read_struct(options, kClassifyDefaults, "classify options");
    return std::make_unique<fovea_classifications>(
        fovea_classifications{classifier->texts.classify(read_texts(texts, n_texts), flag(given.cancel))});
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
