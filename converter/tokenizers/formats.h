// The files that tokenizers are published as: each reader fills a TokenizerBuilder. Errors as tokenizer.h
// says.
#pragma once

#include "converter/json.h"
#include "converter/sources/source.h"
#include "text/step.h"
#include "text/tokenizer_data.h"

namespace fovea {

/// Collects tokens by id. Ids past the vocabulary are dropped: nothing can produce or embed them.
class TokenizerBuilder {
public:
  TokenizerBuilder(const Source &from, uint32_t vocabulary) : source(from) {
    data.source = from.path();
    data.tokens.resize(vocabulary);
    data.types.assign(vocabulary, TokenType::Unused);
    data.pre_tokenizer.clear();
    data.decoder.clear();
  }

  /// A token of the model. `path`: the file, for errors.
  void set(const std::string &path, const Json &id, const std::string &token);
  /// A token added as a whole; also where the model has it.
  void add(const AddedToken &token, std::string text, bool special);
  /// -1 when there is none.
  int32_t find(std::string_view text) const;

  const Source &source;
  TokenizerData data;
};

template <class... Parts> [[noreturn]] void bad_tokenizer(const std::string &path, const Parts &...parts) {
  fail(ErrorCode::InvalidFile, path, ": ", parts...);
}

/// tokenizer.json.
void read_tokenizer_json(TokenizerBuilder &builder, const std::string &text, const std::string &path);
/// Its parts, as steps.
std::vector<std::string> normalizer_steps(const Json &json, const std::string &path, std::string &charsmap);
std::vector<std::string> pre_tokenizer_steps(const Json &json, const std::string &path);
std::vector<std::string> decoder_steps(const Json &json, const std::string &path);
/// Fills data.single and data.pair.
void read_post_processor(const Json &json, const std::string &path, TokenizerData &data);

/// vocab.json, merges.txt and added_tokens.json; vocab.txt.
void read_vocab_json(TokenizerBuilder &builder);
void read_vocab_txt(TokenizerBuilder &builder);
/// A SentencePiece model: `name` is the file. source.spm with a vocab.json that numbers the pieces.
void read_sentence_piece(TokenizerBuilder &builder, const char *name);
void read_separate_vocabulary(TokenizerBuilder &builder);
/// A GGUF file's metadata.
void read_gguf_vocabulary(TokenizerBuilder &builder, const GgufVocabulary &vocabulary);

/// tokenizer_config.json, special_tokens_map.json, config.json: ids of special tokens, and options that
/// change what the tokenizer does.
void read_tokenizer_config(TokenizerBuilder &builder);

/// Spaces become U+2581 and back, one before the text: byte pairs trained by SentencePiece.
void mark_spaces(TokenizerData &data, bool prefix_space);
/// Templates of beginning and end alone.
void set_ends(TokenizerData &data, bool add_bos, bool add_eos);
/// A configuration file's object; empty when the source has none of that name.
KeptJson json_of(const Source &source, const char *name);
/// "model_type" of config.json; empty when there is none.
std::string model_type_of(const Source &source);

} // namespace fovea
