#include "text/tokenizer.h"

#include "base/error.h"
#include "text/added_tokens.h"
#include "text/byte_alphabet.h"
#include "text/decode_pipeline.h"
#include "text/growth.h"
#include "text/normalizer.h"
#include "text/pretokenizer.h"
#include "text/token_model.h"
#include "text/token_stream.h"
#include "text/utf8.h"

#include <algorithm>
#include <limits>

namespace fovea {
namespace {
constexpr size_t kMaxTextBytes = size_t(std::numeric_limits<int32_t>::max());
constexpr size_t kMaxTemplatePieces = 64;

template <class... Parts> [[noreturn]] void bad(const TokenizerData &data, const Parts &...parts) {
  fail(ErrorCode::InvalidFile, data.source, ": ", parts...);
}

void check_id(const TokenizerData &data, int32_t id, std::string_view what) {
  if (id < -1 || id >= int64_t(data.tokens.size()))
    bad(data, what, " is ", id, ", outside the vocabulary of ", data.tokens.size());
}

void check_template(const TokenizerData &data, const std::vector<TemplatePiece> &pieces, bool pair) {
  const char *name = pair ? "the template of two texts" : "the template of one text";
  if (pieces.size() > kMaxTemplatePieces)
    bad(data, name, " has ", pieces.size(), " pieces, at most ", kMaxTemplatePieces, " allowed");
  int n_first = 0, n_second = 0;
  for (const TemplatePiece &piece : pieces) {
    n_first += piece.what == TemplatePiece::kFirst;
    n_second += piece.what == TemplatePiece::kSecond;
    if (piece.what < TemplatePiece::kSecond || piece.what >= int64_t(data.tokens.size()))
      bad(data, name, " names the token ", piece.what, ", outside the vocabulary of ", data.tokens.size());
  }
  if (n_first != 1 || n_second != (pair ? 1 : 0)) bad(data, name, " does not have each text once");
}

TokenizerData checked(TokenizerData data) {
  if (data.tokens.empty()) bad(data, "the vocabulary is empty");
  if (data.tokens.size() > kMaxTextBytes) bad(data, data.tokens.size(), " tokens, more than ids can number");
  if (!data.types.empty() && data.types.size() != data.tokens.size())
    bad(data, data.tokens.size(), " tokens, but ", data.types.size(), " token types");
  for (const AddedToken &token : data.added)
    if (token.id < 0 || token.id >= int64_t(data.tokens.size()))
      bad(data, "the added token ", token.id, " is outside the vocabulary of ", data.tokens.size());
  check_id(data, data.unknown, "the unknown token");
  const SpecialTokens &special = data.special;
  for (const int32_t id :
       {special.bos, special.eos, special.unk, special.pad, special.cls, special.sep, special.mask})
    check_id(data, id, "a special token");
  check_template(data, data.single, false);
  check_template(data, data.pair, true);
  return data;
}

TokenType type_of(const TokenizerData &data, size_t id) {
  return data.types.empty() ? TokenType::Normal : data.types[id];
}

/// Tokens that the model may make.
IdOfText ids_of_model(const TokenizerData &data) {
  std::vector<bool> outside(data.tokens.size());
  for (const AddedToken &token : data.added) outside[size_t(token.id)] = token.outside_model;
  IdOfText out;
  out.reserve(data.tokens.size());
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    if (outside[id] || type_of(data, id) == TokenType::Unused) continue;
    if (data.model == TokenModelKind::Unigram)
      out[data.tokens[id]] = int32_t(id); // the last stays
    else
      out.emplace(data.tokens[id], int32_t(id)); // the first stays
  }
  return out;
}

IdOfText ids_of_all(const TokenizerData &data) {
  IdOfText out;
  out.reserve(data.tokens.size());
  for (size_t id = 0; id < data.tokens.size(); ++id) out.emplace(data.tokens[id], int32_t(id));
  return out;
}

std::unique_ptr<const TokenModel> make_model(const TokenizerData &data, const IdOfText &ids) {
  switch (data.model) {
  case TokenModelKind::BytePairs: return make_byte_pairs(data, ids);
  case TokenModelKind::Unigram: return make_unigram(data, ids);
  case TokenModelKind::WordPiece: return make_word_piece(data, ids);
  case TokenModelKind::WordLevel: return make_word_level(data, ids);
  }
  bad(data, "unknown kind of tokenizer");
}

/// Where the run of valid (or invalid) UTF-8 that begins at `at` ends.
size_t run_end(std::string_view text, size_t at, bool &valid) {
  valid = utf8_unit(text, at).kind == Utf8Unit::Valid;
  while (at < text.size()) {
    const Utf8Unit unit = utf8_unit(text, at);
    if ((unit.kind == Utf8Unit::Valid) != valid) break;
    at += unit.length;
  }
  return at;
}
} // namespace

struct Tokenizer::Parts {
  explicit Parts(TokenizerData given)
      : data(checked(std::move(given))), normalizer(data), added(data, normalizer), pretokenizer(data),
        model_ids(ids_of_model(data)), all_ids(ids_of_all(data)), model(make_model(data, model_ids)),
        decoder(data) {
    data.merges = {}; // in the model now
    data.charsmap = {};
  }

  void encode(std::string_view text, bool allow_special, std::vector<int32_t> &ids) const;
  void encode_valid(std::string_view text, bool at_start, bool allow_special, TokenModelScratch &scratch,
                    std::vector<int32_t> &ids) const;
  void encode_plain(std::string text, bool at_start, uint64_t max_bytes, bool allow_special,
                    TokenModelScratch &scratch, std::vector<int32_t> &ids) const;
  void check(int32_t id) const {
    if (id < 0 || id >= int64_t(data.tokens.size()))
      fail(ErrorCode::InvalidArgument, data.source, ": token id ", id, " is outside the vocabulary of ",
           data.tokens.size());
  }

  /// Whether the token shows in decoded text; what goes to the decoder.
  bool shows(int32_t id, bool skip_special) const {
    const TokenType type = type_of(data, size_t(id));
    return type != TokenType::Unused && !(skip_special && type == TokenType::Special);
  }
  const std::string &shown(int32_t id) const {
    const std::string *normal = added.normal_text(id);
    return normal ? *normal : data.tokens[size_t(id)];
  }

  TokenizerData data;
  Normalizer normalizer;
  AddedTokens added;
  Pretokenizer pretokenizer;
  IdOfText model_ids, all_ids;
  std::unique_ptr<const TokenModel> model;
  DecoderSpec decoder;
};

void Tokenizer::Parts::encode(std::string_view text, bool allow_special, std::vector<int32_t> &ids) const {
  if (text.size() > kMaxTextBytes)
    fail(ErrorCode::InvalidArgument, "text of ", text.size(), " bytes to tokenize, at most 2 GiB allowed");
  TokenModelScratch scratch;
  if (!pretokenizer.is_byte_level()) {
    encode_valid(utf8_replace_invalid(text), true, allow_special, scratch, ids);
    return;
  }
  for (size_t at = 0; at < text.size();) { // runs that are UTF-8, and runs that are not
    bool valid = true;
    const size_t end = run_end(text, at, valid);
    const std::string_view run = text.substr(at, end - at);
    if (valid) {
      encode_valid(run, at == 0, allow_special, scratch, ids);
    } else {
      std::string alphabet;
      for (const char byte : run) append_byte_alphabet(alphabet, uint8_t(byte));
      model->encode(alphabet, allow_special, scratch, ids);
    }
    at = end;
  }
}

void Tokenizer::Parts::encode_valid(std::string_view text, bool at_start, bool allow_special,
                                    TokenModelScratch &scratch, std::vector<int32_t> &ids) const {
  std::vector<AddedTokens::Part> parts, inner;
  added.find(text, false, allow_special, parts);
  for (const auto &part : parts) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    NormalText plain{std::string(text.substr(part.begin, part.end - part.begin)), at_start && part.begin == 0,
                     max_grown_bytes(part.end - part.begin)};
    normalizer.apply(plain);
    if (added.empty(true)) {
      encode_plain(std::move(plain.text), plain.at_start, plain.max_bytes, allow_special, scratch, ids);
      continue;
    }
    inner.clear();
    added.find(plain.text, true, allow_special, inner);
    for (const auto &piece : inner)
      if (piece.id >= 0)
        ids.push_back(piece.id);
      else
        encode_plain(
            plain.text.substr(piece.begin, piece.end - piece.begin), plain.at_start && piece.begin == 0,
            std::min(plain.max_bytes, max_grown_bytes(piece.end - piece.begin)), allow_special, scratch, ids);
  }
}

void Tokenizer::Parts::encode_plain(std::string text, bool at_start, uint64_t max_bytes, bool allow_special,
                                    TokenModelScratch &scratch, std::vector<int32_t> &ids) const {
  const Pieces pieces = pretokenizer.split(std::move(text), at_start, max_bytes);
  for (const Span &span : pieces.spans)
    model->encode(std::string_view(pieces.text).substr(span.begin, span.end - span.begin), allow_special,
                  scratch, ids);
}

Tokenizer::Tokenizer(TokenizerData data) : parts_(std::make_unique<const Parts>(std::move(data))) {}
Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  return encode_typed(text, {}, options).ids;
}

EncodedText Tokenizer::encode_typed(std::string_view text, std::optional<std::string_view> second,
                                    EncodeOptions options) const {
  EncodedText out;
  for (const TemplatePiece &piece : second ? parts_->data.pair : parts_->data.single) {
    if (piece.what == TemplatePiece::kFirst)
      parts_->encode(text, options.allow_special, out.ids);
    else if (piece.what == TemplatePiece::kSecond)
      parts_->encode(*second, options.allow_special, out.ids);
    else if (options.add_special)
      out.ids.push_back(piece.what);
    out.types.resize(out.ids.size(), piece.type);
  }
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  DecodePipeline pipeline(parts_->decoder, false);
  for (const int32_t id : ids) {
    parts_->check(id);
    if (parts_->shows(id, skip_special)) pipeline.push(parts_->shown(id));
  }
  pipeline.finish();
  return utf8_replace_invalid(pipeline.take());
}

std::string Tokenizer::token_bytes(int32_t id) const {
  const std::string &text = token_text(id);
  if (type(id) == TokenType::Unused) return {};
  if (parts_->decoder.byte_level) return alphabet_to_bytes(text).value_or(text);
  if (parts_->decoder.byte_fallback)
    if (const int byte = byte_of_token(text); byte >= 0) return std::string(1, char(byte));
  return text;
}

const std::string &Tokenizer::token_text(int32_t id) const {
  parts_->check(id);
  return parts_->data.tokens[size_t(id)];
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = parts_->all_ids.find(token);
  return found == parts_->all_ids.end() ? std::nullopt : std::optional(found->second);
}

TokenType Tokenizer::type(int32_t id) const {
  parts_->check(id);
  return type_of(parts_->data, size_t(id));
}

const SpecialTokens &Tokenizer::special() const { return parts_->data.special; }
int32_t Tokenizer::size() const { return int32_t(parts_->data.tokens.size()); }

TokenStream::TokenStream(const Tokenizer &tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special),
      pipeline_(std::make_unique<DecodePipeline>(tokenizer.parts_->decoder, true)) {}
TokenStream::TokenStream(TokenStream &&) noexcept = default;
TokenStream &TokenStream::operator=(TokenStream &&) noexcept = default;
TokenStream::~TokenStream() = default;

std::string TokenStream::push(int32_t id) {
  tokenizer_->parts_->check(id);
  if (!tokenizer_->parts_->shows(id, skip_special_)) return {};
  pipeline_->push(tokenizer_->parts_->shown(id));
  return pipeline_->take();
}

std::string TokenStream::finish() {
  pipeline_->finish();
  return pipeline_->take();
}

} // namespace fovea
