// Unigram: the segmentation with the largest sum of log-probabilities (Kudo 2018), by Viterbi's algorithm
// over the bytes of a piece. A character without a token costs 10 more than the least probable token; unknown
// characters in a row are one unknown token, or their bytes' tokens.
#include "base/error.h"
#include "text/token_model.h"
#include "text/token_trie.h"
#include "text/unicode.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {
constexpr double kUnknownPenalty = 10;

class Unigram final : public TokenModel {
public:
  Unigram(const TokenizerData &data, const IdOfText &ids) : TokenModel(data, ids) {
    if (data.scores.size() != data.tokens.size())
      fail(ErrorCode::InvalidFile, data.source, ": ", data.tokens.size(), " tokens, but ", data.scores.size(),
           " scores");
    for (size_t id = 0; id < data.scores.size(); ++id)
      if (!std::isfinite(data.scores[id]))
        fail(ErrorCode::InvalidFile, data.source, ": the score of token ", id, " is not a number");
    if (data.unknown_scores.size() != data.unknown_pieces.size())
      fail(ErrorCode::InvalidFile, data.source, ": ", data.unknown_pieces.size(), " unknown pieces, but ",
           data.unknown_scores.size(), " scores");
    std::vector<std::pair<std::string_view, int32_t>> tokens(ids.begin(), ids.end());
    double least = tokens.empty() ? 0 : data.scores[size_t(tokens[0].second)];
    for (const auto &[text, id] : tokens) least = std::min(least, data.scores[size_t(id)]);
    unknown_score_ = least - kUnknownPenalty;
    const auto n = int32_t(data.tokens.size());
    for (size_t i = 0; i < data.unknown_pieces.size(); ++i) {
      if (!std::isfinite(data.unknown_scores[i]))
        fail(ErrorCode::InvalidFile, data.source, ": the score of unknown piece ", i, " is not a number");
      tokens.emplace_back(data.unknown_pieces[i], n + int32_t(i)); // numbered behind the vocabulary
    }
    trie_ = TokenTrie(std::move(tokens));
    if (data.byte_fallback) byte_ids_ = byte_token_ids(ids);
  }

  void encode(std::string_view piece, bool allow_special, TokenModelScratch &scratch,
              std::vector<int32_t> &ids) const override {
    find_best(piece, allow_special, scratch.nodes);
    auto &nodes = scratch.nodes;
    // Backwards along the best path, then what it names forwards; an unknown run is one step.
    constexpr uint32_t kNone = UINT32_MAX;
    uint32_t next = kNone;
    for (auto at = uint32_t(piece.size()); at > 0;) {
      const uint32_t begin = nodes[at].begin;
      nodes[at].begin = next; // the path's links turn around
      next = at;
      at = begin;
    }
    size_t begin = 0;
    for (uint32_t end = next; end != kNone;) {
      if (nodes[end].id >= int32_t(data_.tokens.size())) {
        if (data_.unknown >= 0) ids.push_back(data_.unknown);
      } else if (nodes[end].id != kUnknown) {
        ids.push_back(nodes[end].id);
      } else {
        while (nodes[end].begin != kNone && nodes[nodes[end].begin].id == kUnknown) end = nodes[end].begin;
        add_unknown(piece.substr(begin, end - begin), allow_special, ids);
      }
      begin = end;
      end = nodes[end].begin;
    }
  }

private:
  static constexpr int32_t kUnknown = -1;

  // nodes[end]: the best path to `end`, and where its last token begins.
  void find_best(std::string_view piece, bool allow_special,
                 std::vector<TokenModelScratch::Node> &nodes) const {
    nodes.assign(piece.size() + 1, {0, kUnknown, UINT32_MAX});
    const auto offer = [&](size_t begin, size_t end, int32_t id, double score) {
      auto &node = nodes[end];
      if (node.begin != UINT32_MAX && score <= node.score) return;
      node = {score, id, uint32_t(begin)};
    };
    for (size_t at = 0; at < piece.size();) {
      const size_t length = utf8_length(piece[at]);
      const double so_far = nodes[at].score;
      bool has_single = false;
      trie_.each(piece, at, [&](size_t bytes, int32_t id) {
        const size_t beyond = size_t(id) - data_.tokens.size(); // of an unknown piece, its number
        const bool listed = size_t(id) < data_.tokens.size();
        if (listed && !allowed(id, allow_special)) return;
        has_single |= bytes == length;
        if (!listed) return offer(at, at + bytes, id, so_far + data_.unknown_scores[beyond]);
        // The unknown token may be written in the text; it then joins unknown characters beside it.
        offer(at, at + bytes, id == data_.unknown ? kUnknown : id, so_far + data_.scores[size_t(id)]);
      });
      if (!has_single) offer(at, at + length, kUnknown, so_far + unknown_score_);
      at += length;
    }
  }

  void add_unknown(std::string_view text, bool allow_special, std::vector<int32_t> &ids) const {
    if (const int32_t whole = find(text, allow_special); whole >= 0) {
      ids.push_back(whole);
      return;
    }
    const auto has_token = [&](char byte) { return byte_ids_[uint8_t(byte)] >= 0; };
    if (data_.byte_fallback && std::all_of(text.begin(), text.end(), has_token)) {
      for (const char byte : text) ids.push_back(byte_ids_[uint8_t(byte)]);
      return;
    }
    if (data_.unknown >= 0) ids.push_back(data_.unknown);
  }

  double unknown_score_;
  TokenTrie trie_;
  std::vector<int32_t> byte_ids_;
};
} // namespace

std::unique_ptr<const TokenModel> make_unigram(const TokenizerData &data, const IdOfText &ids) {
  return std::make_unique<Unigram>(data, ids);
}

} // namespace fovea
