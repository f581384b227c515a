// BytePairs: the merging half of byte-level BPE (Sennrich et al. 2016; over bytes, Radford et al. 2019).
//
// Owns: the id of each byte and the table of merges. A merge's rank is its line, or, without merges, the id
// of the token it makes. Thread-safety: encode() may run on any number of threads, each with its own Scratch.
// Throws Error InvalidFile from the constructor: a merge that is not two tokens, or that names or makes a
// token that is not there. Rejected: rescanning the piece for the best pair after each merge (quadratic in
// the piece), a cache of words (state shared between threads for little: prompts are short).
#pragma once

#include "text/tokenizer_data.h"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace fovea {

class BytePairs {
public:
  using IdOfText = std::unordered_map<std::string_view, int32_t>;

  /// `bytes[id]`: what a token stands for; `ids`: data.tokens by text. Both must outlive this.
  /// Where two tokens have the same text, the smaller id is encoded; where two merges have the same pair, the
  /// later.
  BytePairs(const TokenizerData &data, std::span<const std::string> bytes, const IdOfText &ids);

  /// Working memory of encode(), kept between calls by its user.
  struct Scratch {
    struct Symbol {
      int32_t id;    // -1: merged into the symbol before
      uint32_t end;  // byte offset: where the next symbol starts
      uint32_t prev; // where the symbol before starts
    };
    struct Candidate {
      uint32_t rank, start, middle, end; // the symbols [start, middle) and [middle, end)
      int32_t id;                        // of the token they merge into
    };
    std::vector<Symbol> symbols; // by the byte offset of their start
    std::vector<Candidate> heap;
    std::string known; // the piece without bytes that have no token
  };

  /// Appends the ids of `piece` (< 4 GiB), O(n log n). Bytes that no token stands for are left out.
  void encode(std::string_view piece, Scratch &scratch, std::vector<int32_t> &ids) const;

private:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };
  struct PairHash {
    size_t operator()(uint64_t pair) const { return size_t(pair * 0x9E3779B97F4A7C15u ^ pair >> 29); }
  };
  void read_merges(const TokenizerData &data, const IdOfText &ids);
  std::optional<Merge> find(int32_t left, int32_t right, std::string_view both) const;
  std::string_view drop_unknown(std::string_view piece, std::string &known) const;

  bool by_token_id_;
  std::array<int32_t, 256> byte_ids_;                          // -1: no token
  std::unordered_map<uint64_t, Merge, PairHash> merges_;       // left id << 32 | right id
  std::unordered_map<std::string_view, int32_t> ids_of_bytes_; // by_token_id_ only
  size_t longest_token_bytes_ = 0;
};

} // namespace fovea
