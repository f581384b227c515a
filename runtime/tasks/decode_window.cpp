#include "tasks/decode_window.h"

#include "tasks/trimmed.h"
#include "text/compression.h"

#include <algorithm>

namespace fovea {

std::string text_of(const SpeechSpec &spec, const Tokenizer &tokenizer, std::span<const int32_t> tokens) {
  std::vector<int32_t> text;
  for (const int32_t id : tokens)
    if (id < tokenizer.size() && !(spec.has_times() && id >= spec.time_begin)) text.push_back(id);
  return tokenizer.decode(text, true);
}

WindowDecoder::WindowDecoder(SpeechSession &session, const Tokenizer &tokenizer, const TimestampRules &rules,
                             Random &random)
    : session_(session), tokenizer_(tokenizer), rules_(rules), random_(random) {}

DecodedWindow WindowDecoder::decode(const Prompt &prompt, const DecodeOptions &options) {
  const SpeechSpec &spec = session_.spec();
  prompt_ = prompt;
  // The last token of the context is written from the position before it.
  max_tokens_ = std::min(options.max_tokens, spec.n_context + 1 - uint32_t(prompt.tokens.size()));
  read_prompt(prompt);

  DecodedWindow window;
  for (const float temperature : options.temperatures) {
    const Result result = temperature > 0          ? sample(options, temperature)
                          : session_.n_batch() > 1 ? beam_search(options)
                                                   : greedy();
    window.tokens = result.best.tokens;
    window.ended = result.ended;
    window.temperature = temperature;
    window.text = trimmed(text_of(spec, tokenizer_, window.tokens));
    window.avg_logprob = float(result.best.sum_logprob / double(window.tokens.size() + 1));
    window.compression_ratio = float(compression_ratio(window.text));
    window.no_speech_prob = no_speech_prob_.value_or(0.0f);

    const bool repetitive = options.compression_ratio_threshold &&
                            window.compression_ratio > *options.compression_ratio_threshold;
    const bool improbable = options.logprob_threshold && window.avg_logprob < *options.logprob_threshold;
    const bool silent =
        improbable && options.no_speech_threshold && window.no_speech_prob > *options.no_speech_threshold;
    if (silent || (!repetitive && !improbable)) break;
  }
  return window;
}

// All of the prompt but its last token, which every attempt begins with.
void WindowDecoder::read_prompt(const Prompt &prompt) {
  no_speech_prob_.reset();
  const std::span<const int32_t> tokens(prompt.tokens);
  const size_t n_before = tokens.size() - 1;
  if (prompt.start_at == n_before) { // the first step sees what follows the start token
    session_.prompt(tokens.first(n_before), 0);
    return;
  }
  const size_t n_start = prompt.start_at + 1;
  session_.prompt(tokens.first(n_start), 0);
  if (session_.spec().no_speech != SpeechSpec::kNone)
    no_speech_prob_ = softmax_at(session_.last(0), session_.spec().no_speech);
  session_.prompt(tokens.subspan(n_start, n_before - n_start), uint32_t(n_start));
}

void WindowDecoder::first_step(SpeechSession::Wants wants) {
  const uint32_t at = uint32_t(prompt_.tokens.size()) - 1;
  const bool wants_no_speech =
      prompt_.start_at == at && !no_speech_prob_ && session_.spec().no_speech != SpeechSpec::kNone;
  wants.last = wants_no_speech;
  const std::vector<int32_t> tokens(session_.n_batch(), prompt_.tokens.back());
  const std::vector<RulesRow> rules(session_.n_batch(), rules_.row({}));
  session_.step(tokens, rules, at, wants);
  if (wants_no_speech) no_speech_prob_ = softmax_at(session_.last(0), session_.spec().no_speech);
}

WindowDecoder::Result WindowDecoder::greedy() {
  Result result;
  Hypothesis &h = result.best;
  auto at = uint32_t(prompt_.tokens.size());
  for (first_step({.best = true});; ++at) {
    const BeamSearch::Candidate best = session_.best(0);
    h.sum_logprob += double(best.logprob);
    if (best.token == session_.spec().end) {
      result.ended = true;
      break;
    }
    h.tokens.push_back(best.token);
    if (h.tokens.size() >= max_tokens_) break;
    const RulesRow rules = rules_.row(h.tokens);
    session_.step({&best.token, 1}, {&rules, 1}, at, {.best = true});
  }
  return result;
}

WindowDecoder::Result WindowDecoder::beam_search(const DecodeOptions &options) {
  const uint32_t n_beams = session_.n_batch();
  BeamSearch search(n_beams, options.patience, session_.spec().end);
  const auto at = uint32_t(prompt_.tokens.size());
  for (uint32_t n = 0;;) {
    if (n == 0) {
      first_step({.top = true});
    } else {
      // Sequences that are no longer live run along as copies of the first.
      std::vector<int32_t> tokens(n_beams, search.live()[0].tokens.back());
      std::vector<RulesRow> rules(n_beams, rules_.row(search.live()[0].tokens));
      std::vector<uint32_t> order(n_beams, search.sources()[0]);
      for (size_t i = 0; i < search.live().size(); ++i) {
        tokens[i] = search.live()[i].tokens.back();
        rules[i] = rules_.row(search.live()[i].tokens);
        order[i] = search.sources()[i];
      }
      bool moved = false;
      for (uint32_t i = 0; i < n_beams; ++i) moved = moved || order[i] != i;
      // After the first step all caches are the prompt's.
      if (moved && n > 1) session_.reorder(order, at + n - 1);
      session_.step(tokens, rules, at + n - 1, {.top = true});
    }
    std::vector<std::vector<BeamSearch::Candidate>> top;
    std::vector<std::span<const BeamSearch::Candidate>> candidates;
    for (uint32_t i = 0; i < search.live().size(); ++i) top.push_back(session_.top(i, n_beams + 1));
    for (const auto &t : top) candidates.emplace_back(t);
    search.step(candidates);
    if (search.done() || ++n >= max_tokens_) break;
  }
  const auto results = search.results();
  if (results.empty()) return {{}, true};
  const size_t best = best_hypothesis(results, options.length_penalty);
  return {results[best], search.done()};
}

WindowDecoder::Result WindowDecoder::sample(const DecodeOptions &options, float temperature) {
  const uint32_t n_batch = session_.n_batch();
  const int32_t end = session_.spec().end;
  std::vector<Result> all;
  // The prompt's cache serves every sample: later positions are overwritten.
  while (all.size() < options.best_of) {
    std::vector<Result> group(n_batch);
    auto at = uint32_t(prompt_.tokens.size());
    for (first_step({.logprobs = true});; ++at) {
      std::vector<int32_t> next(n_batch, end);
      std::vector<RulesRow> rules(n_batch);
      bool running = false;
      for (uint32_t b = 0; b < n_batch; ++b) {
        Result &r = group[b];
        if (r.ended || r.best.tokens.size() >= max_tokens_) continue;
        const auto logprobs = session_.logprobs(b);
        next[b] = sample_token(logprobs, temperature, random_);
        r.best.sum_logprob += double(logprobs[size_t(next[b])]);
        r.ended = next[b] == end;
        if (!r.ended) r.best.tokens.push_back(next[b]);
        running = running || (!r.ended && r.best.tokens.size() < max_tokens_);
        rules[b] = rules_.row(r.best.tokens);
      }
      if (!running) break;
      session_.step(next, rules, at, {.logprobs = true});
    }
    all.insert(all.end(), group.begin(), group.end());
  }
  all.resize(options.best_of);
  std::vector<Hypothesis> hypotheses;
  for (const Result &r : all) hypotheses.push_back(r.best);
  return all[best_hypothesis(hypotheses, options.length_penalty)];
}

} // namespace fovea
