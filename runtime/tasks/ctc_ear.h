// CtcEar: the graph "window" of a CTC model as a function: sound to the token of every frame, the most
// probable one or, with a model of words, that of the most probable text.
//
// Owns its session. One thread. hear() throws what Session::run throws, and Internal for a token that is
// none.
#pragma once

#include "exec/session.h"
#include "tasks/ctc_search.h"
#include "tasks/profile_sum.h"

#include <atomic>

namespace fovea {

/// What a search for words needs.
struct CtcLanguage {
  NgramModel words;
  CtcSearchSettings settings;
};

class CtcEar {
public:
  CtcEar(CtcSpec spec, Session session, bool profiling, std::optional<CtcLanguage> language)
      : spec_(std::move(spec)), session_(std::move(session)), profiling_(profiling),
        language_(std::move(language)) {
    if (language_) search_.emplace(spec_, language_->words, language_->settings);
  }
  CtcEar(const CtcEar &) = delete; // the search refers to it

  const CtcSpec &spec() const { return spec_; }
  const Session &session() const { return session_; }
  std::vector<ProfileRow> profile() const { return profile_.rows(); }
  /// samples: at most spec().window_samples. A program is made for each number of them, and kept.
  std::vector<CtcFrame> hear(std::span<const float> samples, const std::atomic<bool> *cancel);

  /// Whether so many samples have been heard before, so that nothing need be made for them.
  bool is_ready(size_t n_samples) const {
    return spec_.n_frames(n_samples) == 0 || session_.has_program("window", {{"N", n_samples}});
  }

private:
  CtcSpec spec_;
  Session session_;
  bool profiling_;
  ProfileSum profile_;
  std::optional<CtcLanguage> language_;
  std::optional<CtcSearch> search_;
};

} // namespace fovea
