#include "tasks/translate.h"

#include "tasks/decode_batch.h"
#include "tasks/load_tokenizer.h"
#include "tasks/text_batches.h"

#include <algorithm>
#include <bit>

namespace fovea {
namespace {

constexpr const char *kTask = "translate";
constexpr size_t kMaxSessions = 4;
constexpr uint32_t kFirstCache = 64; // rows that a batch's caches have at least, and 2 for each source token

template <class T> void override_with(const std::optional<T> &value, T &to) {
  if (value) to = *value;
}

bool is_task_of(const Model &model, std::string_view task) {
  return model.file().find_string("fovea.task") == task;
}

} // namespace

uint32_t first_cache(uint32_t source_tokens, uint32_t limit) {
  return padded_length(std::max(kFirstCache, 2 * source_tokens), limit);
}

bool Translator::accepts(const Model &model) { return is_task_of(model, kTask); }

Translator::Translator(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                       std::shared_ptr<const DeviceWeights> weights, const TranslatorOptions &options)
    : device_(std::move(device)), model_(std::move(model)), weights_(std::move(weights)), options_(options) {
  const ModelFile &file = model_->file();
  if (!accepts(*model_))
    fail(ErrorCode::Unsupported, file.path(), ": not a text-to-text model (its task is '",
         file.find_string("fovea.task").value_or(""), "', expected '", kTask, "')");
  for (const char *graph : {"encode", "step", "reorder"}) model_->graph(graph);
  max_source_ = file.get_u32("fovea.text.max_tokens");
  if (max_source_ == 0 || max_source_ > 1u << 16)
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.text.max_tokens is ", max_source_,
         ", expected 1 to 65536");
  const GenerationSettings settings = GenerationSettings::read(file);
  if (file.find_strings("tokenizer.ggml.tokens"))
    tokenizer_.emplace(load_tokenizer(file, settings.n_vocabulary));
}

GenerationSettings Translator::settings_of(const TranslateOptions &o) const {
  GenerationSettings s = GenerationSettings::read(model_->file(), o.task);
  override_with(o.prefix, s.prefix);
  override_with(o.n_beams, s.n_beams);
  override_with(o.max_new_tokens, s.max_new_tokens);
  override_with(o.min_new_tokens, s.min_new_tokens);
  override_with(o.no_repeat_ngram, s.no_repeat_ngram);
  override_with(o.length_penalty, s.length_penalty);
  override_with(o.repetition_penalty, s.repetition_penalty);
  override_with(o.early_stopping, s.early_stopping);
  if (o.forced_first) {
    const auto id = tokenizer_ ? tokenizer_->id_of(*o.forced_first) : std::nullopt;
    if (!id)
      fail(ErrorCode::InvalidArgument, model_->path(), ": the vocabulary has no token '", *o.forced_first,
           "'");
    s.forced_first = *id;
  }
  s.check();
  return s;
}

DecoderSession::Sizes Translator::sizes_for(uint32_t source_tokens, uint32_t n_beams, uint32_t cache,
                                            size_t n_sources) const {
  DecoderSession::Sizes sizes{uint32_t(std::bit_ceil(n_sources)), n_beams, source_tokens, cache};
  sizes.n_sources = std::min(sizes.n_sources, std::bit_floor(std::max(1u, options_.max_batch)));
  while (sizes.n_sources > 1 && decoder_state_bytes(*model_, sizes) > options_.max_state_bytes)
    sizes.n_sources /= 2;
  return sizes;
}

DecoderSession &Translator::session(const DecoderSession::Sizes &sizes) {
  const auto known = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const DecoderSession &s) { return s.sizes() == sizes; });
  if (known != sessions_.end()) {
    sessions_.splice(sessions_.begin(), sessions_, known);
    return sessions_.front();
  }
  if (sessions_.size() == kMaxSessions) sessions_.pop_back();
  SessionOptions options;
  options.timestamps = options_.timestamps;
  return sessions_.emplace_front(device_, model_, weights_, sizes,
                                 model_->file().get_u32("fovea.text.vocabulary"), std::move(options));
}

std::vector<Translation> Translator::translate(std::span<const std::string> texts,
                                               const TranslateOptions &options) {
  if (!tokenizer_)
    fail(ErrorCode::Unsupported, model_->path(),
         ": the file has no tokenizer; give token ids in place of texts");
  const GenerationRules rules(settings_of(options));
  std::vector<std::vector<int32_t>> sources;
  std::vector<bool> truncated;
  for (const std::string &text : texts) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      sources.emplace_back();
      truncated.push_back(false);
      continue;
    }
    LimitedText limited = limit_text(*tokenizer_, rules.settings().prefix + text, max_source_);
    sources.push_back(std::move(limited.ids));
    truncated.push_back(limited.truncated);
  }
  std::vector<Translation> out = run(std::move(sources), rules, options.cancel);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].source_truncated = truncated[i];
    out[i].text = tokenizer_->decode(out[i].tokens, true);
  }
  return out;
}

std::vector<Translation> Translator::translate_tokens(std::span<const std::vector<int32_t>> sources,
                                                      const TranslateOptions &options) {
  const GenerationRules rules(settings_of(options));
  for (const auto &ids : sources) {
    if (ids.size() > max_source_)
      fail(ErrorCode::InvalidArgument, model_->path(), ": a source of ", ids.size(), " tokens; at most ",
           max_source_, " are possible");
    for (const int32_t id : ids)
      if (id < 0 || id >= int64_t(rules.settings().n_vocabulary))
        fail(ErrorCode::InvalidArgument, model_->path(), ": token ", id, " in a source, expected 0 to ",
             rules.settings().n_vocabulary - 1);
  }
  std::vector<Translation> out = run({sources.begin(), sources.end()}, rules, options.cancel);
  for (Translation &t : out)
    if (tokenizer_) t.text = tokenizer_->decode(t.tokens, true);
  return out;
}

// Sources without a token have no result.
std::vector<Translation> Translator::run(std::vector<std::vector<int32_t>> sources,
                                         const GenerationRules &rules, const std::atomic<bool> *cancel) {
  const GenerationSettings &s = rules.settings();
  std::vector<Translation> out(sources.size());
  std::vector<uint32_t> numbers, lengths;
  for (uint32_t i = 0; i < sources.size(); ++i)
    if (sources[i].empty()) {
      out[i].ended = true;
    } else {
      numbers.push_back(i);
      lengths.push_back(uint32_t(sources[i].size()));
    }
  const uint32_t limit = s.length_limit();
  std::vector<TextBatch> batches = batch_texts(lengths, options_.max_batch, max_source_);
  std::vector<uint32_t> caches(batches.size(), 0);
  for (size_t b = 0; b < batches.size(); ++b) { // grows while batches are split or run again
    TextBatch batch = batches[b];
    const uint32_t wanted = caches[b] ? caches[b] : first_cache(batch.n_tokens, limit);
    const DecoderSession::Sizes sizes =
        sizes_for(batch.n_tokens, s.n_beams, std::min(wanted, limit), batch.rows.size());
    if (batch.rows.size() > sizes.n_sources) { // the rest by itself
      TextBatch rest = batch;
      rest.rows.erase(rest.rows.begin(), rest.rows.begin() + sizes.n_sources);
      batch.rows.resize(sizes.n_sources);
      batches.push_back(std::move(rest));
      caches.push_back(caches[b]);
    }
    batch.n_rows = sizes.n_sources;
    std::vector<std::vector<int32_t>> texts;
    for (const uint32_t row : batch.rows) texts.push_back(sources[numbers[row]]);
    TextBatch local = batch;
    for (uint32_t i = 0; i < local.rows.size(); ++i) local.rows[i] = i;
    const PaddedRows rows = pad_rows(local, texts, s.pad);
    DecoderSession &session = this->session(sizes);
    session.set_cancel(cancel);
    session.encode(rows.tokens, rows.mask);
    const auto decoded = decode_batch(session, rules, batch.rows.size());
    if (!decoded) { // longer than expected: again, with larger caches
      batches.push_back(batch);
      caches.push_back(std::min(2 * sizes.cache_tokens, limit));
      continue;
    }
    for (size_t i = 0; i < batch.rows.size(); ++i) {
      Translation &t = out[numbers[batch.rows[i]]];
      t.tokens = (*decoded)[i].tokens;
      t.score = (*decoded)[i].score;
      t.ended = t.tokens.size() > 1 && rules.is_end(t.tokens.back());
    }
  }
  return out;
}

MemoryUse Translator::memory() const {
  MemoryUse use;
  for (const DecoderSession &s : sessions_) {
    const MemoryUse one = s.session().memory();
    use.weights_bytes = one.weights_bytes;
    use.state_bytes += one.state_bytes;
    use.scratch_bytes += one.scratch_bytes;
    use.io_bytes += one.io_bytes;
  }
  return use;
}

} // namespace fovea
