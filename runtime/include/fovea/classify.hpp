// Classification of texts and pictures for C++: RAII over classify.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/classify.h>
#include <fovea/fovea.hpp>

namespace fovea {
inline namespace client {

class Classifications {
public:
  explicit Classifications(fovea_classifications *handle) : handle_(handle) {}
  size_t size() const { return fovea_classifications_count(handle_.get()); }
  const float *scores(size_t i) const { return fovea_classification_scores(handle_.get(), i); }
  bool truncated(size_t i) const { return fovea_classification_truncated(handle_.get(), i) != 0; }

private:
  detail::Handle<fovea_classifications, fovea_classifications_release> handle_;
};

struct ClassifyOptions : fovea_classify_options {
  ClassifyOptions() { fovea_classify_options_init(this, sizeof(fovea_classify_options)); }
};

class Classifier {
public:
  static Result<Classifier> create(const Device &device, const Model &model, const Progress &progress = {}) {
    fovea_classifier_options options;
    fovea_classifier_options_init(&options, sizeof options);
    detail::ProgressContext context(progress, options);
    fovea_classifier *handle = nullptr;
    const fovea_status status = fovea_classifier_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Classifier>(Classifier(handle)) : Result<Classifier>(status);
  }
  std::string input() const { return fovea_classifier_input(get()); }
  std::vector<std::string> labels() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < fovea_classifier_label_count(get()); ++i)
      all.emplace_back(fovea_classifier_label(get(), i));
    return all;
  }
  Result<Classifications> classify_texts(const std::vector<std::string> &texts,
                                         const ClassifyOptions &options = {}) {
    std::vector<const char *> views;
    for (const std::string &text : texts) views.push_back(text.c_str());
    fovea_classifications *handle = nullptr;
    const fovea_status status = fovea_classify_texts(get(), views.data(), views.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Classifications>(Classifications(handle))
                              : Result<Classifications>(status);
  }
  bool takes_labels() const { return fovea_classifier_takes_labels(get()) != 0; }
  /// `around` empty: the model's own.
  Result<void> set_labels(const std::vector<std::string> &labels, const std::string &around = "",
                          const ClassifyOptions &options = {}) {
    std::vector<const char *> views;
    for (const std::string &label : labels) views.push_back(label.c_str());
    return Result<void>(fovea_classifier_set_labels(get(), views.data(), views.size(),
                                                    around.empty() ? nullptr : around.c_str(), &options));
  }
  Result<Classifications> classify_images(const std::vector<fovea_pixels> &pictures,
                                          const ClassifyOptions &options = {}) {
    fovea_classifications *handle = nullptr;
    const fovea_status status =
        fovea_classify_images(get(), pictures.data(), pictures.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Classifications>(Classifications(handle))
                              : Result<Classifications>(status);
  }
  fovea_classifier *get() const { return handle_.get(); }

private:
  explicit Classifier(fovea_classifier *handle) : handle_(handle) {}
  detail::Handle<fovea_classifier, fovea_classifier_release> handle_;
};

} // namespace client
} // namespace fovea
