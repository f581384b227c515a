// TokenizerData: what a tokenizer is made from. Plain data: the converter fills it from what a model is
// published with, the task layer from a model file's metadata. Nothing here is checked: Tokenizer's
// constructor does that.
//
// The pipelines (normalizer, pre-tokenizer, decoder) are lists of steps, one line of text each, run in order:
// `replace text="  " with=" "`. docs/format.md lists the steps; step.h reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

/// The splitting rule that byte-level BPE was introduced with (GPT-2).
inline constexpr const char *kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// How a piece of text becomes tokens.
enum class TokenModelKind : uint8_t {
  BytePairs, // merges in order of rank (Sennrich et al. 2016)
  Unigram,   // the most probable segmentation (Kudo 2018)
  WordPiece, // the longest token first, then the longest continuation (Schuster and Nakajima 2012)
  WordLevel, // a piece is a token
};

enum class TokenType : uint8_t {
  Normal,  // made by the model
  Special, // control ("<|endoftext|>"): read from text only when allowed, left out of decoded text when asked
  Added,   // added to the vocabulary as a whole, but text: always read from text, never left out
  Unused,  // never encoded; decodes to nothing
};

/// How an added or special token is looked for in text. All off where a token has no entry.
struct AddedToken {
  int32_t id = -1;
  bool strip_left = false, strip_right = false; // takes the white space beside it
  bool single_word = false;                     // no word character may be beside it
  bool normalized = false;                      // looked for after normalization, and itself normalized
  bool outside_model = false;                   // the model's own vocabulary lacks it
};

/// One place of a post-processing template: a token id, or a text.
struct TemplatePiece {
  static constexpr int32_t kFirst = -1, kSecond = -2;
  int32_t what = kFirst; // a token id, kFirst or kSecond
  int32_t type = 0;      // the type id of the tokens there
};

/// Ids that tasks ask for; -1: none.
struct SpecialTokens {
  int32_t bos = -1, eos = -1, unk = -1, pad = -1, cls = -1, sep = -1, mask = -1;
};

struct TokenizerData {
  std::string source = "tokenizer"; // what Errors name: the model file
  TokenModelKind model = TokenModelKind::BytePairs;
  std::vector<std::string> tokens; // id -> text, as the model's vocabulary writes it
  std::vector<TokenType> types;    // as many as `tokens`, or none: all Normal
  std::vector<AddedToken> added;   // of tokens that are Special or Added

  // The model. Byte pairs: "left right", best first; none: the smaller token id merges first (tiktoken).
  std::vector<std::string> merges;
  std::vector<double> scores;      // Unigram: log-probabilities, as many as `tokens`
  // Unigram: pieces that are cut out of the text, and then are unknown, with their scores.
  std::vector<std::string> unknown_pieces;
  std::vector<double> unknown_scores;
  int32_t unknown = -1;            // what stands for a character without a token
  bool fuse_unknown = false;       // byte pairs: unknown characters in a row become one token
  bool byte_fallback = false;      // a character without a token becomes the tokens <0x00> … of its bytes
  bool ignore_merges = false;      // byte pairs: a piece that is a token needs no merging
  std::string continuation_prefix; // before all but the first token of a word: "##"
  std::string word_suffix;         // byte pairs: after the last character of a word: "</w>"
  uint32_t max_word_characters = 100; // WordPiece: a longer word is unknown

  std::string charsmap; // of the step `precompiled`: SentencePiece's compiled normalization rules
  std::vector<std::string> normalizer;
  std::vector<std::string> pre_tokenizer = {"byte_level"};
  std::vector<std::string> decoder = {"byte_level"};

  // What stands around one text, and around two.
  std::vector<TemplatePiece> single = {{TemplatePiece::kFirst, 0}};
  std::vector<TemplatePiece> pair = {{TemplatePiece::kFirst, 0}, {TemplatePiece::kSecond, 1}};
  SpecialTokens special;
};

} // namespace fovea
