#include "api/core/texts.h"
#include "api/handles.h"

#include "tasks/embed.h"

#include <fovea/embed.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_embedder_options kEmbedderDefaults = {sizeof(fovea_embedder_options), nullptr, nullptr};
const fovea_embed_options kEmbedDefaults = {sizeof(fovea_embed_options), nullptr, nullptr};

} // namespace

struct fovea_embedder {
  Embedder embedder;
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
    if (!Embedder::accepts(*model->model))
      fail(ErrorCode::Unsupported, model->model->path(), ": not a model of text embeddings (its task is '",
           model->task, "', expected 'embed')");
    return std::make_unique<fovea_embedder>(fovea_embedder{
        Embedder(device->device, model->model, model->weights(*device, given.progress, given.user))});
  });
}
void fovea_embedder_release(fovea_embedder *embedder) { delete embedder; }
uint32_t fovea_embedder_max_tokens(const fovea_embedder *embedder) {
  return embedder ? embedder->embedder.max_tokens() : 0;
}
fovea_status fovea_embedder_memory(const fovea_embedder *embedder, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(embedder, "embedder")->embedder.memory()); });
}

fovea_status fovea_embed(fovea_embedder *embedder, const char *const *texts, size_t n_texts,
                         const fovea_embed_options *options, fovea_embeddings **out) {
  return create(out, [&] {
    require(embedder, "embedder");
    const fovea_embed_options given = read_struct(options, kEmbedDefaults, "embed options");
    std::optional<std::string> prefix;
    if (given.prefix) prefix = given.prefix;
    return std::make_unique<fovea_embeddings>(
        fovea_embeddings{embedder->embedder.embed(read_texts(texts, n_texts), prefix, flag(given.cancel))});
  });
}
fovea_status fovea_embed_tokens(fovea_embedder *embedder, const int32_t *const *tokens,
                                const size_t *n_tokens, size_t n_texts, const fovea_embed_options *options,
                                fovea_embeddings **out) {
  return create(out, [&] {
    require(embedder, "embedder");
    const fovea_embed_options given = read_struct(options, kEmbedDefaults, "embed options");
    return std::make_unique<fovea_embeddings>(fovea_embeddings{
        embedder->embedder.embed_tokens(read_tokens(tokens, n_tokens, n_texts), flag(given.cancel))});
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
