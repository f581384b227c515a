// CtcSpec: what a file's metadata says about a speech model that gives each stretch of sound a token or the
// blank (connectionist temporal classification, Graves et al., 2006), checked. A value; pure; any thread.
// read() throws Error InvalidFile naming the file and the key: a missing or malformed entry, an id outside
// the vocabulary, sizes that contradict each other. docs/format.md has the keys, docs/graph.md the graph.
#pragma once

#include "exec/model.h"

#include <algorithm>

namespace fovea {

struct CtcSpec {
  uint32_t sample_rate_hz = 0;
  uint32_t hop_samples = 0;     // from frame to frame
  uint32_t context_samples = 0; // that a frame sees: fewer samples have no frame
  /// A longer recording is heard in windows. Neighbours share 2 × overlap_samples: of these the first half is
  /// the earlier window's, the other the later one's. Both are multiples of hop_samples.
  uint32_t window_samples = 0, overlap_samples = 0;
  static constexpr int32_t kNone = -1;
  int32_t blank = 0, delimiter = kNone; // delimiter: between words; may be none
  bool clean_up = false;                // spaces before English punctuation are taken out of the text
  std::vector<std::string> tokens;      // UTF-8, by id; "": writes nothing

  static CtcSpec read(const ModelFile &file);

  uint64_t n_frames(uint64_t n_samples) const {
    return n_samples < context_samples ? 0 : (n_samples - context_samples) / hop_samples + 1;
  }
  double seconds(uint64_t frame) const { return double(frame * hop_samples) / sample_rate_hz; }
  bool is_delimiter(int32_t id) const { return id == delimiter || tokens[size_t(id)] == " "; }
  /// Else every token is a word.
  bool has_delimiter() const {
    return delimiter != kNone || std::find(tokens.begin(), tokens.end(), " ") != tokens.end();
  }
};

constexpr uint32_t kMaxCtcCandidates = 64;

/// Error InvalidGraph unless the graph "window" takes samples and gives 1 to kMaxCtcCandidates pairs, the
/// likeliest first, for each frame that `spec` says.
void check_ctc_graph(const Model &model, const CtcSpec &spec);

} // namespace fovea
