// CtcSearch: the likeliest text of a CTC model's frames under a model of words (prefix beam search, Hannun et
// al., 2014; the scores are those of pyctcdecode, Kensho, 2021, so that its settings can be used as they
// are):
//
//   log P(frames | text) + weight x log P(words) + bonus x number of words
//
// where a word that the model does not know has `unknown` instead of weight x log P, already when no word
// begins as it does. A begun word is judged by the likeliest one that begins so. What comes out is a class
// for each frame, of the likeliest way through the frames that writes the text: words get their times as
// without a search.
//
// `spec` and `words` must outlive it. One thread. Nothing throws but std::bad_alloc.
#pragma once

#include "tasks/ctc_words.h"
#include "tasks/ngram_model.h"

#include <unordered_map>

namespace fovea {

struct CtcSearchSettings {
  uint32_t n_beams = 100; // texts kept from frame to frame; pyctcdecode keeps as many
  float weight = 0.5f, bonus = 1.5f, unknown = -10;

  /// Where the file has no such keys, as above. Error InvalidFile.
  static CtcSearchSettings read(const ModelFile &file);
};

class CtcSearch {
public:
  static constexpr uint32_t kMaxBeams = 1024;
  CtcSearch(const CtcSpec &spec, const NgramModel &words, const CtcSearchSettings &settings)
      : spec_(spec), words_(words), settings_(settings) {}

  /// candidates: n_candidates of each frame, likeliest first.
  std::vector<CtcFrame> run(std::span<const CtcFrame> candidates, size_t n_candidates);

private:
  /// A text and what the words say of it. Texts are a tree of bytes; a delimiter is a space.
  struct Text {
    NgramModel::Context context; // whole words
    NgramModel::Range range;     // the words that begin as the last one does
    uint32_t without_space = 0;  // the text itself, or what a delimiter was added to
    uint32_t n_bytes = 0;        // of the last word
    float whole = 0, so_far = 0; // score of whole words, and with what is hoped of the last
  };
  struct Step { // a frame of a way through the frames
    CtcFrame frame;
    uint32_t before;
  };
  struct Beam {
    uint32_t text = 0, step = 0;
    int32_t last = CtcSpec::kNone; // class of the frame before
    float best = 0, sum = 0;       // log-probability of the likeliest way, of all of them
  };

  void begin();
  uint32_t extend(uint32_t text, char byte);
  uint32_t extend(uint32_t text, int32_t token);
  float finished(const Text &text) const;
  void advance(std::span<const CtcFrame> candidates);

  const CtcSpec &spec_;
  const NgramModel &words_;
  CtcSearchSettings settings_;
  std::vector<Text> texts_;
  std::unordered_map<uint64_t, uint32_t> longer_; // text and byte → text
  std::vector<Step> steps_;
  std::vector<Beam> beams_, next_;
  std::unordered_map<uint64_t, uint32_t> where_; // text and class → next_
};

} // namespace fovea
