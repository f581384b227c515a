#include "converter/tokenizers/sentencepiece_file.h"

#include "base/error.h"

#include <cstring>

namespace fovea {
namespace {

/// A cursor over the fields of one message.
class Message {
public:
  Message(std::string_view bytes, const std::string &path) : bytes_(bytes), path_(path) {}

  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;     // of a varint, or the bits of a fixed one
    std::string_view bytes; // of a string, bytes or a message
  };
  /// False at the end.
  bool next(Field &field) {
    if (at_ == bytes_.size()) return false;
    const uint64_t key = varint();
    field = {key >> 3, 0, {}};
    switch (key & 7) {
    case 0: field.value = varint(); break;
    case 1: field.value = fixed(8); break;
    case 2: {
      const uint64_t size = varint();
      need(size);
      field.bytes = bytes_.substr(at_, size);
      at_ += size;
      break;
    }
    case 5: field.value = fixed(4); break;
    default: bad("a field of an unknown wire type");
    }
    return true;
  }

private:
  [[noreturn]] void bad(std::string_view what) const {
    fail(ErrorCode::InvalidFile, path_, ": not a SentencePiece model: ", what, " at byte ", at_);
  }
  void need(uint64_t n) const {
    if (n > bytes_.size() - at_) bad("a field past the end");
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      need(1);
      const auto byte = uint8_t(bytes_[at_++]);
      value |= uint64_t(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    bad("a number that does not end");
  }
  uint64_t fixed(size_t n) {
    need(n);
    uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + at_, n);
    at_ += n;
    return value;
  }
  std::string_view bytes_;
  const std::string &path_;
  size_t at_ = 0;
};

float to_float(uint64_t bits) {
  const auto low = uint32_t(bits);
  float value;
  std::memcpy(&value, &low, sizeof value);
  return value;
}

SentencePieceFile::Piece read_piece(std::string_view bytes, const std::string &path) {
  SentencePieceFile::Piece piece;
  Message message(bytes, path);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) piece.text = field.bytes;
    if (field.number == 2) piece.score = to_float(field.value);
    if (field.number == 3) {
      if (field.value < 1 || field.value > 6)
        fail(ErrorCode::InvalidFile, path, ": a piece of the unknown type ", field.value);
      piece.type = SentencePieceFile::Type(field.value);
    }
  }
  return piece;
}

void read_trainer(std::string_view bytes, const std::string &path, SentencePieceFile &out) {
  Message message(bytes, path);
  for (Message::Field field; message.next(field);) {
    switch (field.number) {
    case 3: out.model = uint32_t(field.value); break;
    case 35: out.byte_fallback = field.value != 0; break;
    case 40: out.unknown = int32_t(field.value); break;
    case 41: out.bos = int32_t(field.value); break;
    case 42: out.eos = int32_t(field.value); break;
    case 43: out.pad = int32_t(field.value); break;
    default: break;
    }
  }
}

void read_normalizer(std::string_view bytes, const std::string &path, SentencePieceFile &out) {
  Message message(bytes, path);
  for (Message::Field field; message.next(field);) {
    switch (field.number) {
    case 2: out.charsmap = field.bytes; break;
    case 3: out.prefix_space = field.value != 0; break;
    case 4: out.remove_extra_spaces = field.value != 0; break;
    default: break;
    }
  }
}

} // namespace

SentencePieceFile parse_sentence_piece(std::string_view bytes, const std::string &path) {
  SentencePieceFile out;
  Message message(bytes, path);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) out.pieces.push_back(read_piece(field.bytes, path));
    if (field.number == 2) read_trainer(field.bytes, path, out);
    if (field.number == 3) read_normalizer(field.bytes, path, out);
  }
  if (out.pieces.empty()) fail(ErrorCode::InvalidFile, path, ": not a SentencePiece model: no pieces");
  return out;
}

} // namespace fovea
