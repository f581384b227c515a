#include "tasks/caption.h"

#include "tasks/decode_batch.h"
#include "tasks/file_tasks.h"
#include "tasks/load_tokenizer.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kFirstCache = 64, kMaxRows = 1u << 16;

} // namespace

void Captioner::require_task(const Model &model) {
  if (!has_task(model, kTask))
    fail(ErrorCode::Unsupported, model.path(), ": not a model that writes about pictures (its task is '",
         model.file().find_string("fovea.task").value_or(""), "', expected '", kTask, "')");
}

Captioner::Captioner(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                     std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : device_(device), model_((require_task(*model), std::move(model))), weights_(weights),
      timestamps_(timestamps),
      images_(std::move(device), model_, std::move(weights), "encode", "", timestamps) {
  const ModelFile &file = model_->file();
  for (const char *graph : {"encode", "step", "reorder"}) model_->graph(graph);
  source_rows_ = file.get_u32("fovea.size.S");
  if (source_rows_ == 0 || source_rows_ > kMaxRows)
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.size.S is ", source_rows_, ", expected 1 to ",
         kMaxRows);
  const GenerationSettings settings = GenerationSettings::read(file, "");
  if (file.find_strings("tokenizer.ggml.tokens"))
    tokenizer_.emplace(load_tokenizer(file, settings.n_vocabulary));
}

GenerationSettings Captioner::settings_of(const CaptionOptions &o) const {
  GenerationSettings s = GenerationSettings::read(model_->file(), "");
  if (o.n_beams) s.n_beams = *o.n_beams;
  if (o.max_new_tokens) s.max_new_tokens = *o.max_new_tokens;
  if (o.min_new_tokens) s.min_new_tokens = *o.min_new_tokens;
  s.check();
  return s;
}

uint32_t Captioner::first_cache(const GenerationSettings &settings) {
  return std::min(kFirstCache, settings.length_limit());
}

DecoderSession &Captioner::session(uint32_t n_beams, uint32_t cache_tokens) {
  const DecoderSession::Sizes sizes{1, n_beams, source_rows_, cache_tokens};
  if (decoder_ && decoder_->sizes() == sizes) return *decoder_;
  decoder_.reset(); // its memory first
  SessionOptions options;
  options.timestamps = timestamps_;
  return decoder_.emplace(device_, model_, weights_, sizes, model_->file().get_u32("fovea.text.vocabulary"),
                          std::move(options));
}

Caption Captioner::caption(const PixelView &picture, const CaptionOptions &options) {
  return caption_pixels(images_.prepare(picture, options.cancel).f, options);
}

Caption Captioner::caption_pixels(std::span<const float> pixels, const CaptionOptions &options) {
  const GenerationRules rules(settings_of(options));
  const uint32_t limit = rules.settings().length_limit();
  for (uint32_t cache = first_cache(rules.settings());; cache = std::min(2 * cache, limit)) {
    DecoderSession &session = this->session(rules.settings().n_beams, cache);
    session.set_cancel(options.cancel);
    session.encode_pixels(pixels);
    const auto decoded = decode_batch(session, rules, 1);
    if (!decoded) { // longer than expected: again, with larger caches
      if (cache == limit) fail(ErrorCode::Internal, model_->path(), ": ", limit, " tokens do not fit");
      continue;
    }
    Caption out;
    out.tokens = (*decoded)[0].tokens;
    out.score = (*decoded)[0].score;
    out.ended = out.tokens.size() > 1 && rules.is_end(out.tokens.back());
    if (tokenizer_) out.text = tokenizer_->decode(out.tokens, true);
    return out;
  }
}

MemoryUse Captioner::memory() const {
  return decoder_ ? together(images_.memory(), decoder_->session().memory()) : images_.memory();
}

} // namespace fovea
