// DecoderSession: the graphs of an encoder-decoder of text (docs/graph.md) as function calls, on one device.
//
// Owns a Session for a number of sources and of sequences side by side; their caches have a fixed size. One
// thread. Throws what Session throws; WrongResult when the device returns what is not a number or not a
// token.
#pragma once

#include "exec/session.h"
#include "tasks/profile_row.h"

namespace fovea {

class DecoderSession {
public:
  struct Sizes {
    uint32_t n_sources = 1;     // G
    uint32_t n_beams = 1;       // sequences of each source: B / G
    uint32_t source_tokens = 1; // S
    uint32_t cache_tokens = 1;  // C
    uint32_t n_sequences() const { return n_sources * n_beams; }
    Bindings bindings() const;
    friend auto operator<=>(const Sizes &, const Sizes &) = default;
  };
  struct Scored {
    float score = 0; // logit or log-probability
    int32_t token = 0;
  };
  /// What a step computes and brings back; nothing else is.
  struct Wants {
    bool best = false;     // the highest logits of each sequence
    bool last = false;     // all logits
    bool top = false;      // the highest log-probabilities
    bool logprobs = false; // all of them
  };

  DecoderSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                 std::shared_ptr<const DeviceWeights> weights, const Sizes &sizes, uint32_t n_vocabulary,
                 SessionOptions options);

  const Sizes &sizes() const { return sizes_; }
  size_t n_best() const { return n_best_; } // scores that best() and top() have of each sequence
  size_t n_top() const { return n_top_; }
  void set_cancel(const std::atomic<bool> *cancel) { control_.cancel = cancel; }
  const Session &session() const { return session_; }
  Session &session() { return session_; }

  /// Fills the caches of sources that the decoder reads. tokens, mask: [G, S].
  void encode(std::span<const int32_t> tokens, std::span<const int32_t> mask);
  /// The same for pictures: the input `pixels` of all sources. Error InvalidArgument when it is of another
  /// size.
  void encode_pixels(std::span<const float> pixels);
  /// One token for each sequence, [B], at position `at`.
  void step(std::span<const int32_t> tokens, uint32_t at, Wants wants);
  // Of the last step, of what it was asked for; best first.
  std::vector<Scored> best(uint32_t sequence) const { return pairs("best", sequence); }
  std::vector<Scored> top(uint32_t sequence) const { return pairs("top", sequence); }
  std::span<const float> last(uint32_t sequence) const { return row("last", sequence); }
  std::span<const float> logprobs(uint32_t sequence) const { return row("logprobs", sequence); }
  /// The first n_rows positions in the cache of sequence b become those of sequence order[b].
  void reorder(std::span<const uint32_t> order, uint32_t n_rows);

  // The programs of the above, ready to run: for measuring.
  Program &prepare_encode(std::span<const int32_t> tokens, std::span<const int32_t> mask);
  Program &prepare_encode_pixels(std::span<const float> pixels);
  Program &prepare_step(std::span<const int32_t> tokens, uint32_t at, Wants wants);
  Program &prepare_reorder(std::span<const uint32_t> order, uint32_t n_rows);

private:
  void check_graph();
  std::vector<Scored> pairs(const char *output, uint32_t sequence) const;
  std::span<const float> row(const char *output, uint32_t sequence) const;

  Sizes sizes_;
  uint32_t n_vocabulary_;
  size_t n_best_ = 0, n_top_ = 0;
  Session session_;
  RunControl control_;
  std::vector<int32_t> mask_;
  Program *step_ = nullptr; // the last step's
};

/// Bytes of the states of one session of these sizes. Error InvalidGraph.
uint64_t decoder_state_bytes(const Model &model, const DecoderSession::Sizes &sizes);

} // namespace fovea
