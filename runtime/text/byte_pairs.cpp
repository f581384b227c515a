// Byte-pair encoding (Sennrich et al. 2016): characters are merged, the best-ranked pair first. A merge's
// rank is its line, or, without merges, the id of the token it makes. The alphabet is characters; for
// byte-level vocabularies (Radford et al. 2019) the pre-tokenizer has made one character of each byte.
// Rejected: rescanning the piece for the best pair after each merge (quadratic in the piece), a cache of
// words (state shared between threads for little: prompts are short).
#include "base/error.h"
#include "text/token_model.h"
#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>
#include <array>
#include <optional>

namespace fovea {
namespace {
using Scratch = TokenModelScratch;

bool later(const Scratch::Candidate &a, const Scratch::Candidate &b) {
  return a.rank != b.rank ? a.rank > b.rank : a.start > b.start;
}

class BytePairs final : public TokenModel {
public:
  BytePairs(const TokenizerData &data, const IdOfText &ids);
  void encode(std::string_view piece, bool allow_special, Scratch &scratch,
              std::vector<int32_t> &ids) const override;

private:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };
  struct PairHash {
    size_t operator()(uint64_t pair) const { return size_t(pair * 0x9E3779B97F4A7C15u ^ pair >> 29); }
  };
  void read_merges();
  std::optional<Merge> find_merge(int32_t left, int32_t right, std::string_view both) const;
  void split(std::string_view piece, Scratch &scratch) const;

  const bool by_token_id_;
  std::array<int32_t, 0x180> small_ids_; // of the first code points: the byte alphabet is among them
  std::vector<int32_t> byte_ids_;
  std::unordered_map<uint64_t, Merge, PairHash> merges_; // left id << 32 | right id
  size_t longest_token_bytes_ = 0;                       // by_token_id_ only
};

BytePairs::BytePairs(const TokenizerData &data, const IdOfText &ids)
    : TokenModel(data, ids), by_token_id_(data.merges.empty()) {
  for (size_t c = 0; c < small_ids_.size(); ++c) {
    std::string text;
    utf8_append(text, char32_t(c));
    small_ids_[c] = find(text);
  }
  if (data.byte_fallback) byte_ids_ = byte_token_ids(ids);
  if (by_token_id_)
    for (const auto &[text, id] : ids) longest_token_bytes_ = std::max(longest_token_bytes_, text.size());
  else
    read_merges();
}

void BytePairs::read_merges() {
  merges_.reserve(data_.merges.size());
  for (size_t rank = 0; rank < data_.merges.size(); ++rank) {
    const std::string &line = data_.merges[rank];
    if (rank == 0 && line.starts_with("#version")) continue; // the head line of merges.txt
    const size_t space = line.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string::npos)
      fail(ErrorCode::InvalidFile, data_.source, ": merge ", rank, " is '",
           utf8_replace_invalid(line.substr(0, 80)), "', expected two tokens with one space between");
    const auto require = [&](const std::string &token) {
      const int32_t id = find(token);
      if (id < 0)
        fail(ErrorCode::InvalidFile, data_.source, ": merge ", rank, " ('",
             utf8_replace_invalid(line.substr(0, 80)), "') needs the token '",
             utf8_replace_invalid(token.substr(0, 80)), "', which the vocabulary lacks");
      return id;
    };
    const std::string left = line.substr(0, space), right = line.substr(space + 1);
    const uint64_t pair = uint64_t(require(left)) << 32 | uint64_t(require(right));
    const size_t prefix = std::min(right.size(), data_.continuation_prefix.size());
    merges_[pair] = {uint32_t(rank), require(left + right.substr(prefix))};
  }
}

std::optional<BytePairs::Merge> BytePairs::find_merge(int32_t left, int32_t right,
                                                      std::string_view both) const {
  if (!by_token_id_) {
    const auto found = merges_.find(uint64_t(left) << 32 | uint64_t(right));
    return found == merges_.end() ? std::nullopt : std::optional(found->second);
  }
  if (both.size() > longest_token_bytes_) return {}; // or a long run would be hashed again and again
  const int32_t id = find(both);
  return id < 0 ? std::nullopt : std::optional(Merge{uint32_t(id), id});
}

// The characters of `piece` as symbols, and in scratch.text those that have one.
void BytePairs::split(std::string_view piece, Scratch &scratch) const {
  auto &symbols = scratch.symbols;
  symbols.clear();
  scratch.text.clear();
  const auto add = [&](int32_t id, std::string_view text) {
    const auto i = uint32_t(symbols.size());
    symbols.push_back({id, i + 1, i - 1, uint32_t(scratch.text.size())});
    scratch.text += text;
  };
  const bool plain = data_.continuation_prefix.empty() && data_.word_suffix.empty();
  std::string dressed;
  std::string_view unknown; // seen, not added yet
  for (size_t at = 0; at < piece.size();) {
    const size_t begin = at;
    const char32_t c = utf8_next(piece, at);
    std::string_view text = piece.substr(begin, at - begin);
    if (!plain && ((begin > 0 && !data_.continuation_prefix.empty()) || at == piece.size())) {
      dressed = begin > 0 ? data_.continuation_prefix : "";
      dressed += text;
      if (at == piece.size()) dressed += data_.word_suffix;
      text = dressed;
    }
    const int32_t id = c < small_ids_.size() && text.size() == at - begin ? small_ids_[c] : find(text);
    if (id >= 0) {
      if (!unknown.empty()) add(data_.unknown, unknown);
      unknown = {};
      add(id, piece.substr(begin, at - begin));
      continue;
    }
    const auto has_token = [&](char byte) { return byte_ids_[uint8_t(byte)] >= 0; };
    if (data_.byte_fallback && std::all_of(text.begin(), text.end(), has_token)) {
      for (size_t i = 0; i < text.size(); ++i) add(byte_ids_[uint8_t(text[i])], text.substr(i, 1));
      continue;
    }
    if (data_.unknown < 0) continue;
    if (data_.fuse_unknown && !unknown.empty()) {
      unknown =
          piece.substr(size_t(unknown.data() - piece.data()), at - size_t(unknown.data() - piece.data()));
      continue;
    }
    if (!unknown.empty()) add(data_.unknown, unknown);
    unknown = piece.substr(begin, at - begin);
  }
  if (!unknown.empty()) add(data_.unknown, unknown);
}

void BytePairs::encode(std::string_view piece, bool allow_special, Scratch &scratch,
                       std::vector<int32_t> &ids) const {
  if ((by_token_id_ && piece.size() <= longest_token_bytes_) || data_.ignore_merges) {
    if (const int32_t whole = find(piece, allow_special); whole >= 0) {
      ids.push_back(whole);
      return;
    }
  }
  split(piece, scratch);
  auto &symbols = scratch.symbols;
  auto &heap = scratch.heap;
  heap.clear();
  const auto n = uint32_t(symbols.size());
  const std::string_view text = scratch.text;
  const auto begin_of = [&](uint32_t i) { return i == n ? text.size() : symbols[i].begin; };
  const auto add_candidate = [&](uint32_t start) {
    const uint32_t middle = symbols[start].end;
    if (middle == n) return;
    const uint32_t end = symbols[middle].end;
    const std::string_view both = text.substr(begin_of(start), begin_of(end) - begin_of(start));
    if (const auto merge = find_merge(symbols[start].id, symbols[middle].id, both))
      heap.push_back({merge->rank, start, middle, end, merge->id});
  };
  for (uint32_t i = 0; i < n; ++i) add_candidate(i);
  std::make_heap(heap.begin(), heap.end(), later);

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const auto best = heap.back();
    heap.pop_back();
    // Symbols only grow, so the candidate stands exactly if both of its symbols still end where they did.
    auto &symbol = symbols[best.start];
    if (symbol.id < 0 || symbol.end != best.middle || symbols[best.middle].end != best.end) continue;
    symbols[best.middle].id = -1;
    symbol.id = best.id;
    symbol.end = best.end;
    if (best.end < n) symbols[best.end].prev = best.start;
    const size_t before = heap.size();
    if (best.start > 0) add_candidate(symbol.prev);
    if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
    const size_t between = heap.size();
    add_candidate(best.start);
    if (heap.size() > between) std::push_heap(heap.begin(), heap.end(), later);
  }
  for (uint32_t i = 0; i < n; i = symbols[i].end) ids.push_back(symbols[i].id);
}
} // namespace

std::unique_ptr<const TokenModel> make_byte_pairs(const TokenizerData &data, const IdOfText &ids) {
  return std::make_unique<BytePairs>(data, ids);
}

std::vector<int32_t> byte_token_ids(const IdOfText &ids) {
  std::vector<int32_t> out(256, -1);
  for (size_t byte = 0; byte < 256; ++byte) {
    constexpr const char *digits = "0123456789ABCDEF";
    const std::string text = {'<', '0', 'x', digits[byte / 16], digits[byte % 16], '>'};
    if (const auto found = ids.find(text); found != ids.end()) out[byte] = found->second;
  }
  return out;
}

} // namespace fovea
