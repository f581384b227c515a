#include <fovea/detect.h>

#include "api/core/pictures.h"
#include "api/handles.h"
#include "tasks/detect.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_detector_options kDetectorDefaults = {sizeof(fovea_detector_options), nullptr, nullptr};
const fovea_detect_options kDetectDefaults = {sizeof(fovea_detect_options), 0.5f, nullptr};

} // namespace

struct fovea_detector {
  Detector detector;
};

struct fovea_detections {
  std::vector<fovea_detection> found;
};

extern "C" {

void fovea_detector_options_init(fovea_detector_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDetectorDefaults);
}
void fovea_detect_options_init(fovea_detect_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDetectDefaults);
}

fovea_status fovea_detector_create(fovea_device *device, const fovea_model *model,
                                   const fovea_detector_options *options, fovea_detector **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_detector_options given = read_struct(options, kDetectorDefaults, "detector options");
    ImageSession::require_task(*model->model, Detector::kTask); // before the weights are read
    return std::unique_ptr<fovea_detector>(new fovea_detector{
        Detector(device->device, model->model, model->weights(*device, given.progress, given.user))});
  });
}
void fovea_detector_release(fovea_detector *detector) { delete detector; }

size_t fovea_detector_label_count(const fovea_detector *detector) {
  return detector ? detector->detector.labels().size() : 0;
}
const char *fovea_detector_label(const fovea_detector *detector, uint32_t label) {
  return label < fovea_detector_label_count(detector) ? detector->detector.labels()[label].c_str() : nullptr;
}
fovea_status fovea_detector_memory(const fovea_detector *detector, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(detector, "detector")->detector.memory()); });
}

fovea_status fovea_detect(fovea_detector *detector, const fovea_pixels *picture,
                          const fovea_detect_options *options, fovea_detections **out) {
  return create(out, [&] {
    require(detector, "detector");
    require(picture, "picture");
    const fovea_detect_options given = read_struct(options, kDetectDefaults, "detect options");
    auto result = std::make_unique<fovea_detections>();
    for (const Detection &d :
         detector->detector.detect(view_of(*picture), given.threshold, flag(given.cancel)))
      result->found.push_back({d.label, d.score, d.left, d.top, d.right, d.bottom});
    return result;
  });
}
size_t fovea_detections_count(const fovea_detections *detections) {
  return detections ? detections->found.size() : 0;
}
const fovea_detection *fovea_detections_data(const fovea_detections *detections) {
  return detections ? detections->found.data() : nullptr;
}
void fovea_detections_release(fovea_detections *detections) { delete detections; }

} // extern "C"
