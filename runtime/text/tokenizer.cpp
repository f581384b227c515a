#include "text/tokenizer.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/utf8.h"

#include <limits>

namespace fovea {
namespace {
TokenizerData checked(TokenizerData data) {
  if (data.tokens.empty()) fail(ErrorCode::InvalidFile, data.source, ": the vocabulary is empty");
  if (data.tokens.size() > size_t(std::numeric_limits<int32_t>::max()))
    fail(ErrorCode::InvalidFile, data.source, ": ", data.tokens.size(), " tokens, more than ids can number");
  if (!data.types.empty() && data.types.size() != data.tokens.size())
    fail(ErrorCode::InvalidFile, data.source, ": ", data.tokens.size(), " tokens, but ", data.types.size(),
         " token types");
  return data;
}

TokenType type_of(const TokenizerData &data, size_t id) {
  return data.types.empty() ? TokenType::Normal : data.types[id];
}

std::vector<std::string> bytes_of(const TokenizerData &data) {
  std::vector<std::string> out(data.tokens.size());
  for (size_t id = 0; id < out.size(); ++id) {
    const TokenType type = type_of(data, id);
    const bool is_text = data.tokens_are_bytes || type == TokenType::Special || type == TokenType::Added;
    const auto bytes = is_text ? std::nullopt : alphabet_to_bytes(data.tokens[id]);
    out[id] = bytes ? *bytes : data.tokens[id];
  }
  return out;
}

std::unordered_map<std::string_view, int32_t> ids_of(const TokenizerData &data) {
  std::unordered_map<std::string_view, int32_t> out;
  out.reserve(data.tokens.size());
  for (size_t id = 0; id < data.tokens.size(); ++id)
    out.emplace(data.tokens[id], int32_t(id)); // the first stays
  return out;
}
} // namespace

Tokenizer::Tokenizer(TokenizerData data)
    : data_(checked(std::move(data))), bytes_(bytes_of(data_)), ids_(ids_of(data_)), added_(matcher(false)),
      added_or_special_(matcher(true)), pretokenizer_(data_.source, data_.pattern),
      pairs_(data_, bytes_, ids_) {
  data_.merges = {}; // in pairs_ now
}

TokenMatcher Tokenizer::matcher(bool with_special) const {
  std::vector<std::pair<std::string_view, int32_t>> tokens;
  for (size_t id = 0; id < data_.tokens.size(); ++id) {
    const TokenType type = type_of(data_, id);
    if (type == TokenType::Added || (with_special && type == TokenType::Special))
      tokens.emplace_back(data_.tokens[id], int32_t(id));
  }
  return TokenMatcher(std::move(tokens));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool allow_special) const {
  if (text.size() > size_t(std::numeric_limits<int32_t>::max()))
    fail(ErrorCode::InvalidArgument, "text of ", text.size(), " bytes to tokenize, at most 2 GiB allowed");
  const TokenMatcher &whole_tokens = allow_special ? added_or_special_ : added_;
  std::vector<int32_t> ids;
  BytePairs::Scratch scratch;
  size_t begin = 0; // of the plain text that is not encoded yet
  for (size_t at = 0; at < text.size();) {
    const auto [length, id] = whole_tokens.longest(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    encode_plain(text.substr(begin, at - begin), scratch, ids);
    ids.push_back(id);
    begin = at += length;
  }
  encode_plain(text.substr(begin), scratch, ids);
  return ids;
}

void Tokenizer::encode_plain(std::string_view text, BytePairs::Scratch &scratch,
                             std::vector<int32_t> &ids) const {
  if (text.empty()) return;
  std::string prefixed;
  if (data_.add_prefix_space && text[0] != ' ') {
    prefixed.append(1, ' ').append(text);
    text = prefixed;
  }
  std::vector<std::string_view> pieces;
  pretokenizer_.split(text, pieces);
  for (const std::string_view piece : pieces) pairs_.encode(piece, scratch, ids);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string bytes;
  for (const int32_t id : ids) {
    check_id(id);
    if (!skip_special || type(id) != TokenType::Special) bytes += bytes_[size_t(id)];
  }
  return utf8_replace_invalid(bytes);
}

std::string Tokenizer::token_bytes(int32_t id) const {
  check_id(id);
  return bytes_[size_t(id)];
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

TokenType Tokenizer::type(int32_t id) const {
  check_id(id);
  return type_of(data_, size_t(id));
}

void Tokenizer::check_id(int32_t id) const {
  if (id < 0 || id >= size())
    fail(ErrorCode::InvalidArgument, data_.source, ": token id ", id, " is outside the vocabulary of ",
         size());
}

} // namespace fovea
