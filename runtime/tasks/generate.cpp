#include "tasks/generate.h"

#include "tasks/load_tokenizer.h"
#include "tasks/speech_spec.h"
#include "tasks/text_filter.h"
#include "tasks/text_session.h"
#include "text/token_stream.h"

#include <algorithm>
#include <chrono>

namespace fovea {
namespace {

constexpr uint32_t kMaxChunk = 1 << 16;
constexpr size_t kMaxStops = 256;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

uint32_t checked_context(const GenerateSpec &spec, uint32_t wanted) {
  if (wanted == 0) return spec.default_context();
  if (wanted < 2 || wanted > spec.n_context)
    fail(ErrorCode::InvalidArgument, "a context of ", wanted, " tokens, expected 2 to ", spec.n_context,
         ", what the model can tell apart");
  return wanted;
}

SamplingOptions sampling_of(const GenerateSpec &spec, const GenerateOptions &o) {
  SamplingOptions s = spec.sampling;
  // What is recommended beside a temperature is for that temperature's kind of sampling; with the options
  // that a caller leaves out it still holds.
  s.temperature = o.temperature.value_or(s.temperature);
  s.top_k = o.top_k.value_or(s.top_k);
  s.top_p = o.top_p.value_or(s.top_p);
  s.min_p = o.min_p.value_or(s.min_p);
  s.repeat_penalty = o.repeat_penalty.value_or(s.repeat_penalty);
  check(s);
  return s;
}

std::vector<std::string> stops_of(const GenerateSpec &spec, const GenerateOptions &o) {
  std::vector<std::string> stops = spec.stop;
  for (const std::string &stop : o.stop) {
    if (stop.empty()) fail(ErrorCode::InvalidArgument, "a stop text is empty");
    stops.push_back(stop);
  }
  if (stops.size() > kMaxStops)
    fail(ErrorCode::InvalidArgument, stops.size(), " stop texts, at most ", kMaxStops);
  return stops;
}

std::optional<Tokenizer> find_tokenizer(const Model &model, const GenerateSpec &spec) {
  if (!model.file().find_string("tokenizer.ggml.model")) return {};
  return load_tokenizer(model.file(), spec.n_vocabulary);
}

/// One call: the loop over tokens.
class Reply {
public:
  Reply(TextSession &session, const Tokenizer *tokenizer, const GenerateOptions &options,
        const TextCallback &callback)
      : session_(session), spec_(session.spec()), tokenizer_(tokenizer), options_(options),
        callback_(callback), sampler_(sampling_of(spec_, options), options.seed, spec_.n_vocabulary),
        filter_(stops_of(spec_, options)) {
    if (tokenizer_) stream_.emplace(*tokenizer_, true);
  }

  Generation run(std::vector<int32_t> prompt, bool reuse) {
    const auto begin = Clock::now();
    result_.prompt = std::move(prompt);
    for (const int32_t token : result_.prompt) sampler_.saw(token);
    GenerateTimings &t = result_.timings;
    t.n_prompt = result_.prompt.size();
    t.n_reused = session_.set(result_.prompt, reuse, want());
    t.prompt_s = seconds_since(begin);
    const auto generate_begin = Clock::now();
    // A text goes on: whether its next word has a space before it depends on the prompt. An answer begins
    // anew.
    if (stream_ && !reuse)
      for (const int32_t token : result_.prompt)
        if (token < tokenizer_->size()) stream_->push(token);
    loop();
    if (result_.finish != FinishReason::Stop) {
      if (stream_) give(filter_.push(stream_->finish()));
      if (filter_.stopped()) finish(FinishReason::Stop);
      give(filter_.finish());
    }
    t.generate_s = seconds_since(generate_begin);
    t.total_s = seconds_since(begin);
    return std::move(result_);
  }

private:
  TextSession::Want want() const {
    return sampler_.needs_logits() ? TextSession::Want::Logits : TextSession::Want::Best;
  }

  void loop() {
    for (;;) {
      const int32_t token = sampler_.needs_logits() ? sampler_.choose(session_.logits()) : session_.best();
      ++result_.timings.n_generated;
      if (spec_.ends(token) && !options_.ignore_end) return finish(FinishReason::End);
      result_.tokens.push_back(token);
      sampler_.saw(token);
      take(token);
      if (filter_.stopped()) return finish(FinishReason::Stop);
      if (result_.tokens.size() == options_.max_tokens) return finish(FinishReason::Length);
      // The token was free; what follows it needs a row of the caches.
      if (result_.prompt.size() + result_.tokens.size() > session_.n_context())
        return finish(FinishReason::Context);
      session_.append(token, want());
    }
  }

  void finish(FinishReason reason) { result_.finish = reason; }

  void take(int32_t token) {
    // Models may have rows for more tokens than there are.
    if (stream_ && token < tokenizer_->size()) give(filter_.push(stream_->push(token)));
  }

  void give(const std::string &text) {
    if (text.empty()) return;
    result_.text += text;
    if (callback_) callback_(text);
  }

  TextSession &session_;
  const GenerateSpec &spec_;
  const Tokenizer *tokenizer_; // or nullptr
  const GenerateOptions &options_;
  const TextCallback &callback_;
  TokenSampler sampler_;
  std::optional<TokenStream> stream_;
  TextFilter filter_;
  Generation result_;
};

/// The ids of a rendered conversation. Only the format's own text holds control tokens: words that spell one
/// are encoded as words.
std::vector<int32_t> encode_pieces(const Tokenizer &tokenizer, const std::vector<ChatPiece> &pieces) {
  const auto spells_control = [&](const ChatPiece &piece) {
    if (piece.is_control) return false;
    const std::vector<int32_t> ids =
        tokenizer.encode(piece.text, {.add_special = false, .allow_special = true});
    return std::any_of(ids.begin(), ids.end(),
                       [&](int32_t id) { return tokenizer.type(id) == TokenType::Special; });
  };
  if (std::any_of(pieces.begin(), pieces.end(), spells_control)) {
    std::vector<int32_t> ids;
    for (const ChatPiece &piece : pieces) {
      const std::vector<int32_t> part =
          tokenizer.encode(piece.text, {.add_special = false, .allow_special = piece.is_control});
      ids.insert(ids.end(), part.begin(), part.end());
    }
    return ids;
  }
  // In one: tokens may span the seam between the format and the words.
  std::string all;
  for (const ChatPiece &piece : pieces) all += piece.text;
  return tokenizer.encode(all, {.add_special = false, .allow_special = true});
}

} // namespace

const char *to_string(FinishReason reason) {
  static constexpr const char *names[] = {"end", "stop", "length", "context"};
  return names[size_t(reason)];
}

struct Generator::State {
  std::optional<Tokenizer> tokenizer;
  TextSession session;

  const Tokenizer &require_tokenizer() const {
    if (!tokenizer)
      fail(ErrorCode::Unsupported, session.session().model().path(),
           ": the file has no tokenizer, so it takes token ids only");
    return *tokenizer;
  }
  Generation run(std::vector<int32_t> prompt, bool reuse, const GenerateOptions &options,
                 const TextCallback &text) {
    if (prompt.size() > session.n_context())
      fail(ErrorCode::InvalidArgument, "the prompt has ", prompt.size(), " tokens, the context holds ",
           session.n_context(),
           session.n_context() < session.spec().n_context
               ? concat("; ask for a larger one (the model's own is ", session.spec().n_context, ")")
               : "");
    session.set_cancel(options.cancel);
    return Reply(session, tokenizer ? &*tokenizer : nullptr, options, text).run(std::move(prompt), reuse);
  }
};

Generator::Generator(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                     std::shared_ptr<const DeviceWeights> weights, const GeneratorOptions &options) {
  const GenerateSpec spec = GenerateSpec::read(model->file());
  const uint32_t n_context = checked_context(spec, options.n_context);
  if (options.n_chunk < 1 || options.n_chunk > kMaxChunk)
    fail(ErrorCode::InvalidArgument, "chunks of ", options.n_chunk, " tokens, expected 1 to ", kMaxChunk);
  check_generate_graphs(*model, spec, 1, n_context);
  auto tokenizer = find_tokenizer(*model, spec);
  SessionOptions session;
  session.timestamps = options.timestamps;
  session.cache = options.cache;
  session.adjust_caps = options.adjust_caps;
  state_.reset(
      new State{std::move(tokenizer), TextSession(std::move(device), std::move(model), std::move(weights),
                                                  spec, n_context, options.n_chunk, std::move(session))});
}

Generator::~Generator() = default;
Generator::Generator(Generator &&) noexcept = default;
Generator &Generator::operator=(Generator &&) noexcept = default;

bool Generator::accepts(const Model &model) { return model.file().find_string(kTaskKey) == kGenerateTask; }

std::vector<int32_t> Generator::encode(std::string_view prompt, bool allow_special) const {
  const GenerateSpec &spec = state_->session.spec();
  std::vector<int32_t> ids =
      state_->require_tokenizer().encode(prompt, {.add_special = true, .allow_special = allow_special});
  if (ids.empty() && spec.begin != GenerateSpec::kNone) ids.push_back(spec.begin);
  if (ids.empty())
    fail(ErrorCode::InvalidArgument, "the prompt is empty, and the model has no token that a text begins "
                                     "with: give it a word to go on from");
  return ids;
}

std::vector<int32_t> Generator::encode(const std::vector<ChatMessage> &messages) const {
  const auto &format = chat_format();
  if (!format)
    fail(ErrorCode::Unsupported, state_->session.session().model().path(),
         ": the file has no chat format (the model was published without a chat template, or with one that "
         "the "
         "converter does not know): give a prompt instead");
  return encode_pieces(state_->require_tokenizer(), format->render(messages));
}

Generation Generator::generate(std::string_view prompt, const GenerateOptions &options,
                               const TextCallback &text) {
  return state_->run(encode(prompt, options.allow_special), false, options, text);
}

Generation Generator::generate(std::span<const int32_t> prompt, const GenerateOptions &options,
                               const TextCallback &text) {
  return state_->run({prompt.begin(), prompt.end()}, false, options, text);
}

Generation Generator::chat(const std::vector<ChatMessage> &messages, const GenerateOptions &options,
                           const TextCallback &text) {
  return state_->run(encode(messages), true, options, text);
}

uint32_t Generator::n_context() const { return state_->session.n_context(); }
const std::optional<ChatFormat> &Generator::chat_format() const { return state_->session.spec().chat; }
MemoryUse Generator::memory() const { return state_->session.session().memory(); }
std::vector<ProfileRow> Generator::profile() const { return state_->session.profile(); }

} // namespace fovea
