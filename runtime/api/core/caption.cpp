#include "tasks/caption.h"
#include "api/core/pictures.h"
#include "api/handles.h"

#include <fovea/caption.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_captioner_options kCaptionerDefaults = {sizeof(fovea_captioner_options), nullptr, nullptr};
const fovea_caption_options kCaptionDefaults = {sizeof(fovea_caption_options), 0, 0, 0, nullptr};

} // namespace

struct fovea_captioner {
  Captioner captioner;
};

struct fovea_caption {
  Caption caption;
};

extern "C" {

void fovea_captioner_options_init(fovea_captioner_options *options, size_t struct_size) {
  write_struct(options, struct_size, kCaptionerDefaults);
}
void fovea_caption_options_init(fovea_caption_options *options, size_t struct_size) {
  write_struct(options, struct_size, kCaptionDefaults);
}

fovea_status fovea_captioner_create(fovea_device *device, const fovea_model *model,
                                    const fovea_captioner_options *options, fovea_captioner **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_captioner_options given = read_struct(options, kCaptionerDefaults, "captioner options");
    Captioner::require_task(*model->model); // before the weights are read
    return std::unique_ptr<fovea_captioner>(new fovea_captioner{
        Captioner(device->device, model->model, model->weights(*device, given.progress, given.user))});
  });
}
void fovea_captioner_release(fovea_captioner *captioner) { delete captioner; }
int fovea_captioner_has_tokenizer(const fovea_captioner *captioner) {
  return captioner && captioner->captioner.has_tokenizer() ? 1 : 0;
}
fovea_status fovea_captioner_memory(const fovea_captioner *captioner, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(captioner, "captioner")->captioner.memory()); });
}

fovea_status fovea_caption_image(fovea_captioner *captioner, const fovea_pixels *picture,
                                 const fovea_caption_options *options, fovea_caption **out) {
  return create(out, [&] {
    require(captioner, "captioner");
    require(picture, "picture");
    const fovea_caption_options given = read_struct(options, kCaptionDefaults, "caption options");
    CaptionOptions wanted;
    if (given.beams) wanted.n_beams = given.beams;
    if (given.max_tokens) wanted.max_new_tokens = given.max_tokens;
    if (given.min_tokens) wanted.min_new_tokens = given.min_tokens;
    wanted.cancel = flag(given.cancel);
    return std::unique_ptr<fovea_caption>(
        new fovea_caption{captioner->captioner.caption(view_of(*picture), wanted)});
  });
}
const char *fovea_caption_text(const fovea_caption *caption) {
  return caption ? caption->caption.text.c_str() : "";
}
const int32_t *fovea_caption_tokens(const fovea_caption *caption) {
  return caption ? caption->caption.tokens.data() : nullptr;
}
size_t fovea_caption_token_count(const fovea_caption *caption) {
  return caption ? caption->caption.tokens.size() : 0;
}
float fovea_caption_score(const fovea_caption *caption) { return caption ? caption->caption.score : 0; }
int fovea_caption_ended(const fovea_caption *caption) { return caption && caption->caption.ended ? 1 : 0; }
void fovea_caption_release(fovea_caption *caption) { delete caption; }

} // extern "C"
