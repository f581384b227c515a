// A SentencePiece model file (tokenizer.model, spiece.model, source.spm): a protocol buffer, read by hand.
//
// Pure. Errors InvalidFile name the file: truncated fields, lengths past the end, more pieces than bytes.
// Source: sentencepiece_model.proto. Rejected: libprotobuf (a code generator and a megabyte for three
// messages).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

struct SentencePieceFile {
  enum class Type : uint32_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::Normal;
  };
  std::vector<Piece> pieces; // by id
  uint32_t model = 1;        // 1 Unigram, 2 BPE, 3 words, 4 characters
  bool byte_fallback = false;
  int32_t unknown = 0, bos = 1, eos = 2, pad = -1;
  std::string charsmap;
  bool prefix_space = true;        // a space before the text
  bool remove_extra_spaces = true; // in a row, and at both ends
};

/// `path`: what Errors name.
SentencePieceFile parse_sentence_piece(std::string_view bytes, const std::string &path);

} // namespace fovea
