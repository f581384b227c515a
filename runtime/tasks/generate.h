// Generator: text that continues a prompt or answers a conversation, over a model file whose task is
// "generate".
//
// Greedy or sampled (token_sampler.h), token by token over caches of keys and values; a prompt is read in
// chunks. The end of a reply is a token that the model ends with, a stop text, the number of tokens asked
// for, or a full context: nothing is ever shifted out of the caches, so what a model has read stays what it
// was given. A conversation's next turn goes on from what the caches share with it.
//
// Owns a Session (state, scratch, programs), the tokenizer and the checked metadata. One thread at a time;
// many Generators may share a device, a model and its weights. The constructor throws InvalidFile /
// InvalidGraph for a file that is not a complete model of this task, and InvalidArgument for options;
// generate() and chat() throw InvalidArgument (options, an empty prompt where the model has no token to begin
// with, a prompt longer than the context), Unsupported (text without a tokenizer, a conversation without a
// chat format), Cancelled, and what Session::run throws. After an Error it may be used again, unless the
// device is lost.
#pragma once

#include "exec/session.h"
#include "tasks/chat_format.h"
#include "tasks/profile_row.h"
#include "tasks/token_sampler.h"

#include <memory>
#include <optional>

namespace fovea {

struct GeneratorOptions {
  uint32_t n_context =
      0; // tokens that the caches hold, at most what the model can tell apart; 0: that, or 4096
  uint32_t n_chunk = 512;        // most tokens of a prompt in one run: memory against speed
  std::optional<Encoding> cache; // keys and values in f16 or q8, half the memory; nothing: as the file says
  bool timestamps = false;       // of the GPU, for profile()
  std::function<void(DeviceCaps &)> adjust_caps; // see SessionOptions
};

struct GenerateOptions {
  uint32_t max_tokens = 0; // 0: until the model ends, or the context is full
  // Without a value: as the model's publisher recommends, which is greedy where they do not say.
  std::optional<float> temperature, top_p, min_p, repeat_penalty;
  std::optional<uint32_t> top_k;
  uint64_t seed = 0;             // the same seed, prompt and device: the same text
  std::vector<std::string> stop; // texts that end the reply, beside the model's own
  bool ignore_end = false;       // go on past the tokens that end a text
  bool allow_special = false; // control tokens written in a prompt are read as such; never in a conversation
  const std::atomic<bool> *cancel = nullptr;
};

enum class FinishReason : uint8_t {
  End,     // the model ended its text
  Stop,    // a stop text came
  Length,  // max_tokens
  Context, // the caches are full
};
const char *to_string(FinishReason reason); // "end" …

struct GenerateTimings {
  double total_s = 0, prompt_s = 0, generate_s = 0;
  uint64_t n_prompt = 0;    // tokens of the prompt
  uint64_t n_reused = 0;    // of those, the first, that the caches held already
  uint64_t n_generated = 0; // steps: tokens of the reply, and the one that ended it
};

struct Generation {
  std::vector<int32_t> prompt; // as the model was given it
  std::vector<int32_t> tokens; // the reply, without a token that ended it
  std::string text;            // of the reply: control tokens and stop texts left out, valid UTF-8
  FinishReason finish = FinishReason::End;
  GenerateTimings timings;
};

/// Text as it comes: whole characters, in order; all calls' texts together are Generation::text. May throw.
using TextCallback = std::function<void(std::string_view text)>;

class Generator {
public:
  Generator(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
            std::shared_ptr<const DeviceWeights> weights, const GeneratorOptions &options = {});
  ~Generator();
  Generator(Generator &&) noexcept;
  Generator &operator=(Generator &&) noexcept;

  static bool accepts(const Model &model);

  Generation generate(std::string_view prompt, const GenerateOptions &options = {},
                      const TextCallback &text = {});
  Generation generate(std::span<const int32_t> prompt, const GenerateOptions &options = {},
                      const TextCallback &text = {});
  /// The reply to a conversation (chat_format.h).
  Generation chat(const std::vector<ChatMessage> &messages, const GenerateOptions &options = {},
                  const TextCallback &text = {});

  /// The ids of a prompt, with what the model wants before it.
  std::vector<int32_t> encode(std::string_view prompt, bool allow_special) const;
  std::vector<int32_t> encode(const std::vector<ChatMessage> &messages) const;

  uint32_t n_context() const;
  const std::optional<ChatFormat> &chat_format() const;
  MemoryUse memory() const;
  /// Of all runs so far, when made with timestamps.
  std::vector<ProfileRow> profile() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace fovea
