// What each pixel of a picture belongs to, for C++: RAII over segment.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/fovea.hpp>
#include <fovea/segment.h>

namespace fovea {
inline namespace client {

struct SegmentOptions : fovea_segment_options {
  SegmentOptions() { fovea_segment_options_init(this, sizeof(fovea_segment_options)); }
};

/// Class numbers of a picture's pixels.
class ClassMap {
public:
  explicit ClassMap(fovea_class_map *handle) : handle_(handle) {}
  uint32_t width() const { return fovea_class_map_width(handle_.get()); }
  uint32_t height() const { return fovea_class_map_height(handle_.get()); }
  /// [height, width]
  const uint16_t *data() const { return fovea_class_map_data(handle_.get()); }

private:
  detail::Handle<fovea_class_map, fovea_class_map_release> handle_;
};

/// A segmentation model on a device.
class Segmenter {
public:
  static Result<Segmenter> create(const Device &device, const Model &model, const Progress &progress = {}) {
    fovea_segmenter_options options;
    fovea_segmenter_options_init(&options, sizeof options);
    detail::ProgressContext context(progress, options);
    fovea_segmenter *handle = nullptr;
    const fovea_status status = fovea_segmenter_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Segmenter>(Segmenter(handle)) : Result<Segmenter>(status);
  }
  Result<ClassMap> segment(const fovea_pixels &picture, const SegmentOptions &options = {}) {
    fovea_class_map *map = nullptr;
    const fovea_status status = fovea_segment_picture(get(), &picture, &options, &map);
    return status == FOVEA_OK ? Result<ClassMap>(ClassMap(map)) : Result<ClassMap>(status);
  }
  size_t n_labels() const { return fovea_segmenter_label_count(get()); }
  const char *label(uint32_t number) const { return fovea_segmenter_label(get(), number); }
  fovea_segmenter *get() const { return handle_.get(); }

private:
  explicit Segmenter(fovea_segmenter *handle) : handle_(handle) {}
  detail::Handle<fovea_segmenter, fovea_segmenter_release> handle_;
};

} // namespace client
} // namespace fovea
