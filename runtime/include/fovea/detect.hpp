// Objects in pictures for C++: RAII over detect.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/detect.h>
#include <fovea/fovea.hpp>

namespace fovea {
inline namespace client {

struct DetectOptions : fovea_detect_options {
  DetectOptions() { fovea_detect_options_init(this, sizeof(fovea_detect_options)); }
};

/// A detection model on a device.
class Detector {
public:
  static Result<Detector> create(const Device &device, const Model &model, const Progress &progress = {}) {
    fovea_detector_options options;
    fovea_detector_options_init(&options, sizeof options);
    detail::ProgressContext context(progress, options);
    fovea_detector *handle = nullptr;
    const fovea_status status = fovea_detector_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Detector>(Detector(handle)) : Result<Detector>(status);
  }
  /// The most probable first.
  Result<std::vector<fovea_detection>> detect(const fovea_pixels &picture,
                                              const DetectOptions &options = {}) {
    using Detections = std::vector<fovea_detection>;
    fovea_detections *found = nullptr;
    const fovea_status status = fovea_detect(get(), &picture, &options, &found);
    const detail::Handle<fovea_detections, fovea_detections_release> owner(found);
    if (status != FOVEA_OK) return Result<Detections>(status);
    const fovea_detection *data = fovea_detections_data(found);
    return Result<Detections>(Detections(data, data + fovea_detections_count(found)));
  }
  size_t n_labels() const { return fovea_detector_label_count(get()); }
  const char *label(uint32_t number) const { return fovea_detector_label(get(), number); }
  fovea_detector *get() const { return handle_.get(); }

private:
  explicit Detector(fovea_detector *handle) : handle_(handle) {}
  detail::Handle<fovea_detector, fovea_detector_release> handle_;
};

} // namespace client
} // namespace fovea
