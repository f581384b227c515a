// Captioner: a text for a picture: captions, lines of writing. Greedy or beam search with the reference
// implementation's rules (GenerationSettings of the file). Owns sessions. One thread at a time. Throws what
// ImageEncoder and DecoderSession throw, Unsupported (a file for another task), InvalidArgument.
#pragma once

#include "tasks/decoder_session.h"
#include "tasks/generation_rules.h"
#include "tasks/image_encoder.h"
#include "text/tokenizer.h"

#include <optional>

namespace fovea {

struct CaptionOptions {
  std::optional<uint32_t> n_beams, max_new_tokens, min_new_tokens;
  const std::atomic<bool> *cancel = nullptr;
};

struct Caption {
  std::string text;            // without special tokens; empty without a tokenizer
  std::vector<int32_t> tokens; // as the reference gives them: from the start token on, with the end token
  float score = 0;             // of beam search: log-probability under the length penalty; greedy: 0
  bool ended = false;          // false: cut at the length limit
};

class Captioner {
public:
  static constexpr const char *kTask = "caption";
  /// Error Unsupported unless the file is for it.
  static void require_task(const Model &model);
  Captioner(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
            std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  Caption caption(const PixelView &picture, const CaptionOptions &options = {});
  /// The same for the model's input, [1, C, h, w].
  Caption caption_pixels(std::span<const float> pixels, const CaptionOptions &options = {});
  bool has_tokenizer() const { return tokenizer_.has_value(); }
  MemoryUse memory() const;

  // What caption() is made of: for measuring.
  ImageEncoder &images() { return images_; }
  GenerationSettings settings_of(const CaptionOptions &options) const;
  /// Rows of the caches that a picture's first try gets.
  static uint32_t first_cache(const GenerationSettings &settings);
  /// Stays until another is asked for.
  DecoderSession &session(uint32_t n_beams, uint32_t cache_tokens);

private:
  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const DeviceWeights> weights_;
  bool timestamps_;
  ImageEncoder images_;
  uint32_t source_rows_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<DecoderSession> decoder_; // of the last sizes
};

} // namespace fovea
