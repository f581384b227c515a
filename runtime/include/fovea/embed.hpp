// Embeddings of texts and pictures for C++: RAII over embed.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/embed.h>
#include <fovea/fovea.hpp>

namespace fovea {
inline namespace client {

class Embeddings {
public:
  explicit Embeddings(fovea_embeddings *handle) : handle_(handle) {}
  size_t size() const { return fovea_embeddings_count(handle_.get()); }
  size_t width() const { return fovea_embeddings_width(handle_.get()); }
  const float *operator[](size_t i) const { return fovea_embedding(handle_.get(), i); }
  bool truncated(size_t i) const { return fovea_embedding_truncated(handle_.get(), i) != 0; }

private:
  detail::Handle<fovea_embeddings, fovea_embeddings_release> handle_;
};

struct EmbedOptions : fovea_embed_options {
  EmbedOptions() { fovea_embed_options_init(this, sizeof(fovea_embed_options)); }
};

class Embedder {
public:
  static Result<Embedder> create(const Device &device, const Model &model, const Progress &progress = {}) {
    fovea_embedder_options options;
    fovea_embedder_options_init(&options, sizeof options);
    detail::ProgressContext context(progress, options);
    fovea_embedder *handle = nullptr;
    const fovea_status status = fovea_embedder_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Embedder>(Embedder(handle)) : Result<Embedder>(status);
  }
  uint32_t max_tokens() const { return fovea_embedder_max_tokens(get()); }
  Result<Embeddings> embed(const std::vector<std::string> &texts, const EmbedOptions &options = {}) {
    std::vector<const char *> views;
    for (const std::string &text : texts) views.push_back(text.c_str());
    fovea_embeddings *handle = nullptr;
    const fovea_status status = fovea_embed(get(), views.data(), views.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Embeddings>(Embeddings(handle)) : Result<Embeddings>(status);
  }
  bool takes_texts() const { return fovea_embedder_takes_texts(get()) != 0; }
  bool takes_images() const { return fovea_embedder_takes_images(get()) != 0; }
  Result<Embeddings> embed_images(const std::vector<fovea_pixels> &pictures,
                                  const EmbedOptions &options = {}) {
    fovea_embeddings *handle = nullptr;
    const fovea_status status =
        fovea_embed_images(get(), pictures.data(), pictures.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Embeddings>(Embeddings(handle)) : Result<Embeddings>(status);
  }
  fovea_embedder *get() const { return handle_.get(); }

private:
  explicit Embedder(fovea_embedder *handle) : handle_(handle) {}
  detail::Handle<fovea_embedder, fovea_embedder_release> handle_;
};

} // namespace client
} // namespace fovea
