#include "api/core/pictures.h"
#include "api/core/texts.h"
#include "api/handles.h"

#include "tasks/embed.h"
#include "tasks/embed_image.h"

#include <fovea/embed.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_embedder_options kEmbedderDefaults = {sizeof(fovea_embedder_options), nullptr, nullptr};
const fovea_embed_options kEmbedDefaults = {sizeof(fovea_embed_options), nullptr, nullptr};

} // namespace

struct fovea_embedder {
  std::optional<Embedder> texts; // one or both
  std::optional<ImageEncoder> images;

  /// Error Unsupported unless it makes vectors of the one that was given.
  Embedder &for_texts() {
    if (!texts)
      fail(ErrorCode::Unsupported, images->model().path(), ": makes vectors of pictures, not of texts");
    return *texts;
  }
  ImageEncoder &for_images() {
    if (!images)
      fail(ErrorCode::Unsupported, texts->model().path(), ": makes vectors of texts, not of pictures");
    return *images;
  }
};

struct fovea_embeddings {
  std::vector<EncodedRow> rows;
};

extern "C" {

void fovea_embedder_options_init(fovea_embedder_options *options, size_t struct_size) {
  write_struct(options, struct_size, kEmbedderDefaults);
}
void fovea_embed_options_init(fovea_embed_options *options, size_t struct_size) {
  write_struct(options, struct_size, kEmbedDefaults);
}

fovea_status fovea_embedder_create(fovea_device *device, const fovea_model *model,
                                   const fovea_embedder_options *options, fovea_embedder **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_embedder_options given = read_struct(options, kEmbedderDefaults, "embedder options");
    const Model &file = *model->model;
    if (!Embedder::accepts(file) && !embeds_images(file))
      fail(ErrorCode::Unsupported, file.path(), ": not a model of embeddings (its task is '", model->task,
           "', expected 'embed')");
    auto weights = model->weights(*device, given.progress, given.user);
    auto made = std::make_unique<fovea_embedder>();
    if (Embedder::accepts(file)) made->texts.emplace(device->device, model->model, weights);
    if (embeds_images(file)) made->images.emplace(image_embedder(device->device, model->model, weights));
    return made;
  });
}
void fovea_embedder_release(fovea_embedder *embedder) { delete embedder; }
int fovea_embedder_takes_texts(const fovea_embedder *embedder) { return embedder && embedder->texts ? 1 : 0; }
int fovea_embedder_takes_images(const fovea_embedder *embedder) {
  return embedder && embedder->images ? 1 : 0;
}
uint32_t fovea_embedder_max_tokens(const fovea_embedder *embedder) {
  return embedder && embedder->texts ? embedder->texts->max_tokens() : 0;
}
fovea_status fovea_embedder_memory(const fovea_embedder *embedder, fovea_memory *memory) {
  return guard([&] {
    const fovea_embedder &e = *require(embedder, "embedder");
    write_memory(memory, e.texts && e.images ? together(e.texts->memory(), e.images->memory())
                         : e.texts           ? e.texts->memory()
                                             : e.images->memory());
  });
}

fovea_status fovea_embed(fovea_embedder *embedder, const char *const *texts, size_t n_texts,
                         const fovea_embed_options *options, fovea_embeddings **out) {
  return create(out, [&] {
    Embedder &task = require(embedder, "embedder")->for_texts();
    const fovea_embed_options given = read_struct(options, kEmbedDefaults, "embed options");
    std::optional<std::string> prefix;
    if (given.prefix) prefix = given.prefix;
    return std::make_unique<fovea_embeddings>(
        fovea_embeddings{task.embed(read_texts(texts, n_texts), prefix, flag(given.cancel))});
  });
}
fovea_status fovea_embed_tokens(fovea_embedder *embedder, const int32_t *const *tokens,
                                const size_t *n_tokens, size_t n_texts, const fovea_embed_options *options,
                                fovea_embeddings **out) {
  return create(out, [&] {
    Embedder &task = require(embedder, "embedder")->for_texts();
    const fovea_embed_options given = read_struct(options, kEmbedDefaults, "embed options");
    return std::make_unique<fovea_embeddings>(
        fovea_embeddings{task.embed_tokens(read_tokens(tokens, n_tokens, n_texts), flag(given.cancel))});
  });
}
fovea_status fovea_embed_images(fovea_embedder *embedder, const fovea_pixels *pictures, size_t n_pictures,
                                const fovea_embed_options *options, fovea_embeddings **out) {
  return create(out, [&] {
    ImageEncoder &task = require(embedder, "embedder")->for_images();
    const fovea_embed_options given = read_struct(options, kEmbedDefaults, "embed options");
    auto made = std::make_unique<fovea_embeddings>();
    for (auto &row : task.encode(read_pictures(pictures, n_pictures), flag(given.cancel)))
      made->rows.push_back({std::move(row), false});
    return made;
  });
}
size_t fovea_embeddings_count(const fovea_embeddings *embeddings) {
  return embeddings ? embeddings->rows.size() : 0;
}
size_t fovea_embeddings_width(const fovea_embeddings *embeddings) {
  return fovea_embeddings_count(embeddings) ? embeddings->rows[0].values.size() : 0;
}
const float *fovea_embedding(const fovea_embeddings *embeddings, size_t index) {
  return index < fovea_embeddings_count(embeddings) ? embeddings->rows[index].values.data() : nullptr;
}
int fovea_embedding_truncated(const fovea_embeddings *embeddings, size_t index) {
  return index < fovea_embeddings_count(embeddings) && embeddings->rows[index].truncated ? 1 : 0;
}
void fovea_embeddings_release(fovea_embeddings *embeddings) { delete embeddings; }

} // extern "C"
