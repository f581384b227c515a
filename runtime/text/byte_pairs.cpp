#include "text/byte_pairs.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/utf8.h"

#include <algorithm>

namespace fovea {
namespace {
bool later(const BytePairs::Scratch::Candidate &a, const BytePairs::Scratch::Candidate &b) {
  return a.rank != b.rank ? a.rank > b.rank : a.start > b.start;
}
} // namespace

BytePairs::BytePairs(const TokenizerData &data, std::span<const std::string> bytes, const IdOfText &ids)
    : by_token_id_(data.merges.empty()) {
  byte_ids_.fill(-1);
  if (!by_token_id_) {
    for (int byte = 0; byte < 256; ++byte)
      if (const auto found = ids.find(byte_to_alphabet(uint8_t(byte))); found != ids.end())
        byte_ids_[byte] = found->second;
    read_merges(data, ids);
    return;
  }
  for (size_t id = 0; id < bytes.size(); ++id) {
    if (!data.types.empty() && data.types[id] != TokenType::Normal) continue;
    if (bytes[id].empty() || !ids_of_bytes_.emplace(bytes[id], int32_t(id)).second) continue;
    longest_token_bytes_ = std::max(longest_token_bytes_, bytes[id].size());
    if (bytes[id].size() == 1) byte_ids_[uint8_t(bytes[id][0])] = int32_t(id);
  }
}

void BytePairs::read_merges(const TokenizerData &data, const IdOfText &ids) {
  if (data.tokens_are_bytes)
    fail(ErrorCode::InvalidFile, data.source,
         ": merges need tokens in the byte alphabet, these are raw bytes");
  merges_.reserve(data.merges.size());
  for (size_t rank = 0; rank < data.merges.size(); ++rank) {
    const std::string &line = data.merges[rank];
    if (rank == 0 && line.starts_with("#version")) continue; // the head line of merges.txt
    const size_t space = line.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string::npos)
      fail(ErrorCode::InvalidFile, data.source, ": merge ", rank, " is '",
           utf8_replace_invalid(line.substr(0, 80)), "', expected two tokens with one space between");
    const auto id_of = [&](const std::string &token) {
      const auto found = ids.find(token);
      if (found == ids.end())
        fail(ErrorCode::InvalidFile, data.source, ": merge ", rank, " ('",
             utf8_replace_invalid(line.substr(0, 80)), "') needs the token '",
             utf8_replace_invalid(token.substr(0, 80)), "', which the vocabulary lacks");
      return found->second;
    };
    const std::string left = line.substr(0, space), right = line.substr(space + 1);
    const uint64_t pair = uint64_t(id_of(left)) << 32 | uint64_t(id_of(right));
    merges_[pair] = {uint32_t(rank), id_of(left + right)};
  }
}

std::optional<BytePairs::Merge> BytePairs::find(int32_t left, int32_t right, std::string_view both) const {
  if (!by_token_id_) {
    const auto found = merges_.find(uint64_t(left) << 32 | uint64_t(right));
    return found == merges_.end() ? std::nullopt : std::optional(found->second);
  }
  if (both.size() > longest_token_bytes_)
    return std::nullopt; // or a long run would be hashed again and again
  const auto found = ids_of_bytes_.find(both);
  return found == ids_of_bytes_.end() ? std::nullopt
                                      : std::optional(Merge{uint32_t(found->second), found->second});
}

std::string_view BytePairs::drop_unknown(std::string_view piece, std::string &known) const {
  const auto has_no_token = [&](char c) { return byte_ids_[uint8_t(c)] < 0; };
  if (std::none_of(piece.begin(), piece.end(), has_no_token)) return piece;
  known.clear();
  std::remove_copy_if(piece.begin(), piece.end(), std::back_inserter(known), has_no_token);
  return known;
}

void BytePairs::encode(std::string_view piece, Scratch &scratch, std::vector<int32_t> &ids) const {
  if (by_token_id_ && piece.size() <= longest_token_bytes_) {
    if (const auto whole = ids_of_bytes_.find(piece); whole != ids_of_bytes_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  piece = drop_unknown(piece, scratch.known);
  const auto n = uint32_t(piece.size());
  auto &symbols = scratch.symbols;
  auto &heap = scratch.heap;
  symbols.resize(n);
  heap.clear();
  for (uint32_t i = 0; i < n; ++i) symbols[i] = {byte_ids_[uint8_t(piece[i])], i + 1, i - 1};

  const auto add_candidate = [&](uint32_t start) {
    const uint32_t middle = symbols[start].end;
    if (middle == n) return;
    const uint32_t end = symbols[middle].end;
    if (const auto merge = find(symbols[start].id, symbols[middle].id, piece.substr(start, end - start))) {
      heap.push_back({merge->rank, start, middle, end, merge->id});
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  for (uint32_t i = 0; i < n; ++i) add_candidate(i);

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
    if (best.start > 0) add_candidate(symbol.prev);
    add_candidate(best.start);
  }
  for (uint32_t i = 0; i < n; i = symbols[i].end) ids.push_back(symbols[i].id);
}

} // namespace fovea
