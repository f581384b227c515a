// RankedBeams: beam search as the reference implementation of text generation does it (Hugging Face
// transformers 5, GenerationMixin._beam_search): the likeliest continuations of all live sequences together,
// finished ones ranked by their mean log-probability under a length penalty. The model runs elsewhere.
//
// BeamSearch (beam_search.h) follows another reference, of speech: there each sequence offers its own tokens,
// and the number of finished sequences ends the search. Sums are binary32, as there: they decide ties. One
// thread; nothing throws but std::bad_alloc.
#pragma once

#include "tasks/generation_settings.h"

#include <span>

namespace fovea {

class RankedBeams {
public:
  struct Options {
    uint32_t n_beams = 1;
    size_t n_end_tokens = 1;
    float length_penalty = 1;
    EarlyStopping early_stopping = EarlyStopping::No;
    uint32_t limit = 2; // tokens of the longest sequence
  };
  struct Sequence {
    std::vector<int32_t> tokens; // from the start token on
    float score = 0;             // live: sum of log-probabilities; finished: after the length penalty
  };
  struct Candidate {
    float logprob = 0;
    int32_t token = 0;
    bool ends = false; // one of the end tokens
  };

  RankedBeams(const Options &options, int32_t start);

  /// Candidates that each live sequence must offer, unless the vocabulary has fewer.
  size_t n_candidates() const { return n_kept_; }
  /// Sequences to run next, best first; n_beams of them.
  const std::vector<Sequence> &live() const { return live_; }
  /// candidates[i]: of live()[i], likeliest first. Afterwards live()[i] continues what was
  /// live()[sources()[i]].
  void step(std::span<const std::vector<Candidate>> candidates);
  const std::vector<uint32_t> &sources() const { return sources_; }
  bool done() const { return done_; }
  /// The best finished one; of none, the best live one.
  const Sequence &best() const;

private:
  struct Finished : Sequence {
    bool finished = false; // a real one, not a place for it
  };
  struct Offer {
    uint32_t source;
    Candidate candidate;
    float score;
    bool ends;
  };
  void finish(const std::vector<Offer> &offers);
  void update_done(uint32_t length);

  Options options_;
  size_t n_kept_;
  std::vector<Sequence> live_;
  std::vector<Finished> finished_;
  std::vector<uint32_t> sources_;
  bool done_ = false;
};

} // namespace fovea
