#include <fovea/segment.h>

#include "api/handles.h"
#include "tasks/segment.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_segmenter_options kSegmenterDefaults = {sizeof(fovea_segmenter_options), nullptr, nullptr};
const fovea_segment_options kSegmentDefaults = {sizeof(fovea_segment_options), nullptr};

} // namespace

struct fovea_segmenter {
  Segmenter segmenter;
};

struct fovea_class_map {
  uint32_t width = 0, height = 0;
  std::vector<uint16_t> classes;
};

extern "C" {

void fovea_segmenter_options_init(fovea_segmenter_options *options, size_t struct_size) {
  write_struct(options, struct_size, kSegmenterDefaults);
}
void fovea_segment_options_init(fovea_segment_options *options, size_t struct_size) {
  write_struct(options, struct_size, kSegmentDefaults);
}

fovea_status fovea_segmenter_create(fovea_device *device, const fovea_model *model,
                                    const fovea_segmenter_options *options, fovea_segmenter **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_segmenter_options given = read_struct(options, kSegmenterDefaults, "segmenter options");
    ImageSession::require_task(*model->model, Segmenter::kTask); // before the weights are read
    return std::unique_ptr<fovea_segmenter>(new fovea_segmenter{
        Segmenter(device->device, model->model, model->weights(*device, given.progress, given.user))});
  });
}
void fovea_segmenter_release(fovea_segmenter *segmenter) { delete segmenter; }

size_t fovea_segmenter_label_count(const fovea_segmenter *segmenter) {
  return segmenter ? segmenter->segmenter.labels().size() : 0;
}
const char *fovea_segmenter_label(const fovea_segmenter *segmenter, uint32_t label) {
  return label < fovea_segmenter_label_count(segmenter) ? segmenter->segmenter.labels()[label].c_str()
                                                        : nullptr;
}
fovea_status fovea_segmenter_memory(const fovea_segmenter *segmenter, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(segmenter, "segmenter")->segmenter.memory()); });
}

fovea_status fovea_segment_picture(fovea_segmenter *segmenter, const fovea_pixels *picture,
                                   const fovea_segment_options *options, fovea_class_map **out) {
  return create(out, [&] {
    require(segmenter, "segmenter");
    require(picture, "picture");
    const fovea_segment_options given = read_struct(options, kSegmentDefaults, "segment options");
    const PixelView view{picture->data, picture->width, picture->height, picture->channels,
                         picture->row_bytes};
    auto map = std::make_unique<fovea_class_map>();
    map->classes = segmenter->segmenter.segment(view, flag(given.cancel));
    map->width = picture->width;
    map->height = picture->height;
    return map;
  });
}
uint32_t fovea_class_map_width(const fovea_class_map *map) { return map ? map->width : 0; }
uint32_t fovea_class_map_height(const fovea_class_map *map) { return map ? map->height : 0; }
const uint16_t *fovea_class_map_data(const fovea_class_map *map) {
  return map ? map->classes.data() : nullptr;
}
void fovea_class_map_release(fovea_class_map *map) { delete map; }

} // extern "C"
