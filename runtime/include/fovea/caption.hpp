// Texts for pictures for C++: RAII over caption.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/caption.h>
#include <fovea/fovea.hpp>

namespace fovea {
inline namespace client {

struct CaptionOptions : fovea_caption_options {
  CaptionOptions() { fovea_caption_options_init(this, sizeof(fovea_caption_options)); }
};

class Caption {
public:
  explicit Caption(fovea_caption *handle) : handle_(handle) {}
  const char *text() const { return fovea_caption_text(handle_.get()); }
  std::vector<int32_t> tokens() const {
    const int32_t *first = fovea_caption_tokens(handle_.get());
    return {first, first + fovea_caption_token_count(handle_.get())};
  }
  float score() const { return fovea_caption_score(handle_.get()); }
  bool ended() const { return fovea_caption_ended(handle_.get()) != 0; }

private:
  detail::Handle<fovea_caption, fovea_caption_release> handle_;
};

class Captioner {
public:
  static Result<Captioner> create(const Device &device, const Model &model, const Progress &progress = {}) {
    fovea_captioner_options options;
    fovea_captioner_options_init(&options, sizeof options);
    detail::ProgressContext context(progress, options);
    fovea_captioner *handle = nullptr;
    const fovea_status status = fovea_captioner_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Captioner>(Captioner(handle)) : Result<Captioner>(status);
  }
  bool has_tokenizer() const { return fovea_captioner_has_tokenizer(get()) != 0; }
  Result<Caption> caption(const fovea_pixels &picture, const CaptionOptions &options = {}) {
    fovea_caption *handle = nullptr;
    const fovea_status status = fovea_caption_image(get(), &picture, &options, &handle);
    return status == FOVEA_OK ? Result<Caption>(Caption(handle)) : Result<Caption>(status);
  }
  fovea_captioner *get() const { return handle_.get(); }

private:
  explicit Captioner(fovea_captioner *handle) : handle_(handle) {}
  detail::Handle<fovea_captioner, fovea_captioner_release> handle_;
};

} // namespace client
} // namespace fovea
