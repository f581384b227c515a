#include "text/added_tokens.h"

#include "base/error.h"
#include "text/growth.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace fovea {
namespace {
/// Where the character before `at` begins; `at` > 0.
size_t before(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && (uint8_t(text[at]) & 0xC0) == 0x80);
  return at;
}

bool word_before(std::string_view text, size_t at) {
  if (at == 0) return false;
  size_t begin = before(text, at);
  return is_word_character(utf8_next(text, begin));
}

bool word_after(std::string_view text, size_t at) {
  return at < text.size() && is_word_character(utf8_next(text, at));
}
} // namespace

AddedTokens::AddedTokens(const TokenizerData &data, const Normalizer &normalizer)
    : data_(data), flags_(data.added) {
  const auto by_id = [](const AddedToken &a, const AddedToken &b) { return a.id < b.id; };
  std::sort(flags_.begin(), flags_.end(), by_id);
  std::vector<std::pair<std::string_view, int32_t>> as_is, normal;
  for (size_t id = 0; id < data.types.size(); ++id) {
    if (data.types[id] != TokenType::Special && data.types[id] != TokenType::Added) continue;
    if (!is_utf8(data.tokens[id])) continue; // it is in no text, but would cut characters in two
    const auto flags = std::lower_bound(flags_.begin(), flags_.end(), AddedToken{.id = int32_t(id)}, by_id);
    if (flags != flags_.end() && flags->id == int32_t(id) && flags->normalized) {
      NormalText text{data.tokens[id], true, max_grown_bytes(data.tokens[id].size())};
      normalizer.apply(text);
      normal_texts_.push_back(std::move(text.text));
      normal_ids_.push_back(int32_t(id));
    } else {
      as_is.emplace_back(data.tokens[id], int32_t(id));
    }
  }
  for (size_t i = 0; i < normal_ids_.size(); ++i) normal.emplace_back(normal_texts_[i], normal_ids_[i]);
  before_ = TokenTrie(std::move(as_is));
  after_ = TokenTrie(std::move(normal));
}

void AddedTokens::find(std::string_view text, bool normalized, bool allow_special,
                       std::vector<Part> &parts) const {
  const TokenTrie &trie = normalized ? after_ : before_;
  size_t done = 0; // everything before is in parts
  for (size_t at = 0; !trie.empty() && at < text.size();) {
    const auto [length, id] = trie.longest(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + length;
    at = end;
    if (!allow_special && data_.types[size_t(id)] == TokenType::Special) continue;
    const auto by_id = [](const AddedToken &a, int32_t b) { return a.id < b; };
    const auto found = std::lower_bound(flags_.begin(), flags_.end(), id, by_id);
    const AddedToken flags = found != flags_.end() && found->id == id ? *found : AddedToken{};
    if (flags.single_word && (word_before(text, begin) || word_after(text, end))) continue;
    while (flags.strip_left && begin > done) {
      const size_t previous = before(text, begin);
      size_t next = previous;
      if (!is_white_space(utf8_next(text, next))) break;
      begin = previous;
    }
    while (flags.strip_right && end < text.size()) {
      size_t next = end;
      if (!is_white_space(utf8_next(text, next))) break;
      end = next;
    }
    begin = std::max(begin, done);
    if (begin > done) parts.push_back({done, begin, -1});
    parts.push_back({begin, end, id});
    done = std::max(done, end);
    at = std::max(at, end);
  }
  if (done < text.size()) parts.push_back({done, text.size(), -1});
}

} // namespace fovea
