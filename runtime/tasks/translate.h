// Translator: texts in, texts out, by any encoder-decoder of text: translation, summaries, spelling to sounds
// …
//
// Greedy or beam search with the reference implementation's rules (GenerationSettings). Texts of like length
// run side by side; results do not depend on their neighbours beyond rounding. Owns sessions for a few sizes,
// made on demand. One thread at a time. Throws what Session throws, Unsupported (a file for another task,
// texts without a tokenizer), InvalidArgument, Cancelled.
#pragma once

#include "tasks/decoder_session.h"
#include "tasks/generation_rules.h"
#include "text/tokenizer.h"

#include <list>

namespace fovea {

struct TranslatorOptions {
  bool timestamps = false;
  uint32_t max_batch = 8;                 // sources side by side
  uint64_t max_state_bytes = 64ull << 20; // caches of one session; a single source may take more
};

/// What one call changes of the model's settings.
struct TranslateOptions {
  std::string task;                  // settings of fovea.translate.task.NAME; empty: the model's own
  std::optional<std::string> prefix; // put before every text; none: the task's
  std::optional<uint32_t> n_beams, max_new_tokens, min_new_tokens, no_repeat_ngram;
  std::optional<float> length_penalty, repetition_penalty;
  std::optional<EarlyStopping> early_stopping;
  std::optional<std::string> forced_first; // a token by its text: the language to translate into
  const std::atomic<bool> *cancel = nullptr;
};

struct Translation {
  std::string text;              // without special tokens; empty without a tokenizer
  std::vector<int32_t> tokens;   // as the reference gives them: from the start token on, with the end token
  float score = 0;               // of beam search: log-probability under the length penalty; greedy: 0
  bool ended = false;            // false: cut at the length limit
  bool source_truncated = false; // the source was longer than the model takes
};

/// Rows of the caches that a source's first try gets; `limit`: of the longest sequence.
uint32_t first_cache(uint32_t source_tokens, uint32_t limit);

class Translator {
public:
  static bool accepts(const Model &model);
  Translator(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
             std::shared_ptr<const DeviceWeights> weights, const TranslatorOptions &options = {});

  /// In the order of the texts. A text without a character has an empty translation.
  std::vector<Translation> translate(std::span<const std::string> texts,
                                     const TranslateOptions &options = {});
  /// The same for token ids, each with the tokens that a tokenizer would put around a text.
  std::vector<Translation> translate_tokens(std::span<const std::vector<int32_t>> sources,
                                            const TranslateOptions &options = {});

  bool has_tokenizer() const { return tokenizer_.has_value(); }
  std::vector<std::string> tasks() const { return generation_tasks(model_->file()); }
  MemoryUse memory() const;

  // What translate() is made of: for measuring.
  uint32_t max_source() const { return max_source_; } // tokens
  GenerationSettings settings_of(const TranslateOptions &options) const;
  DecoderSession::Sizes sizes_for(uint32_t source_tokens, uint32_t n_beams, uint32_t cache,
                                  size_t n_sources) const;
  /// Stays until four others have been asked for.
  DecoderSession &session(const DecoderSession::Sizes &sizes);

private:
  std::vector<Translation> run(std::vector<std::vector<int32_t>> sources, const GenerationRules &rules,
                               const std::atomic<bool> *cancel);

  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const DeviceWeights> weights_;
  TranslatorOptions options_;
  uint32_t max_source_;
  std::optional<Tokenizer> tokenizer_;
  std::list<DecoderSession> sessions_; // most recently used first
};

} // namespace fovea
