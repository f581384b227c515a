#include "fuzz/sound_edit.h"

#include <cstring>

namespace fovea::fuzz {
namespace {

struct Chunk {
  std::string id, bytes;
};

/// RIFF, FORM: a head of 12 bytes, then chunks of even size.
struct Chunks {
  std::string head;
  std::vector<Chunk> all;
  bool big = false; // numbers have their largest byte first

  std::string number(uint32_t value) const {
    std::string out(4, '\0');
    for (unsigned i = 0; i < 4; ++i) out[i] = char(uint8_t(value >> 8 * (big ? 3 - i : i)));
    return out;
  }
  static Chunks parse(std::string_view file) {
    Chunks out;
    out.big = file.starts_with("FORM") || file.starts_with("RIFX");
    out.head = file.substr(0, 12);
    for (size_t at = 12; at + 8 <= file.size() && out.all.size() < 64;) {
      uint32_t n = 0;
      for (unsigned i = 0; i < 4; ++i) n |= uint32_t(uint8_t(file[at + 4 + i])) << 8 * (out.big ? 3 - i : i);
      out.all.push_back({std::string(file.substr(at, 4)), std::string(file.substr(at + 8, n))});
      at += 8 + uint64_t(n) + (n & 1);
    }
    return out;
  }
  std::string write(Dice &dice) const {
    std::string out = head;
    for (const Chunk &c : all) {
      const auto n = uint32_t(c.bytes.size());
      out += c.id + number(dice.one_in(30) ? uint32_t(dice.number(n)) : n) + c.bytes;
      if (n & 1) out += '\0';
    }
    if (!dice.one_in(30)) out.replace(4, 4, number(uint32_t(out.size() - 8)));
    return out;
  }
};

bool has_chunks(std::string_view file) {
  return file.size() >= 12 &&
         (file.starts_with("RIFF") || file.starts_with("RIFX") || file.starts_with("FORM"));
}

uint32_t ogg_checksum(std::string_view page) {
  uint32_t sum = 0;
  for (const char c : page) {
    sum ^= uint32_t(uint8_t(c)) << 24;
    for (int bit = 0; bit < 8; ++bit) sum = sum << 1 ^ (sum >> 31 ? 0x04C11DB7u : 0);
  }
  return sum;
}

/// Checksums of all pages, as their heads delimit them.
std::string with_checksums(std::string file) {
  for (size_t at = 0; at + 27 <= file.size() && file.compare(at, 4, "OggS") == 0;) {
    const size_t n_segments = uint8_t(file[at + 26]);
    size_t n = 27 + n_segments;
    for (size_t i = 0; i < n_segments && at + 27 + i < file.size(); ++i) n += uint8_t(file[at + 27 + i]);
    n = std::min(n, file.size() - at);
    std::memset(&file[at + 22], 0, 4);
    const uint32_t sum = ogg_checksum(std::string_view(file).substr(at, n));
    std::memcpy(&file[at + 22], &sum, 4);
    at += n;
  }
  return file;
}

void edit_chunk(Chunk &c, Dice &dice) {
  if (c.bytes.size() < 4 || dice.one_in(3)) {
    c.bytes = mutate_bytes(c.bytes);
    return;
  }
  const size_t width = size_t(1) << dice.below(3),
               at = dice.below(std::min<size_t>(c.bytes.size(), 64) - width + 1);
  uint64_t value = 0;
  std::memcpy(&value, c.bytes.data() + at, width);
  value = dice.number(value);
  std::memcpy(c.bytes.data() + at, &value, width);
}

} // namespace

std::string edit_sound(std::string_view file, Dice &dice) {
  const std::string bytes(file);
  if (file.starts_with("OggS") && !dice.one_in(8)) return with_checksums(mutate_bytes(bytes));
  if (!has_chunks(file) || dice.one_in(8)) return mutate_bytes(bytes);
  Chunks chunks = Chunks::parse(file);
  if (chunks.all.empty() || dice.one_in(8))
    chunks.head = mutate_bytes(chunks.head, 0), chunks.head.resize(12);
  else if (dice.one_in(4))
    shuffle_list(chunks.all, dice);
  else
    edit_chunk(chunks.all[dice.below(chunks.all.size())], dice);
  return chunks.write(dice);
}

std::string join_sounds(std::string_view a, std::string_view b, Dice &dice) {
  if (!has_chunks(a) || !has_chunks(b)) return {};
  Chunks mine = Chunks::parse(a);
  const Chunks theirs = Chunks::parse(b);
  if (theirs.all.empty()) return {};
  mine.all.insert(mine.all.begin() + std::ptrdiff_t(dice.below(mine.all.size() + 1)), dice.of(theirs.all));
  return mine.write(dice);
}

} // namespace fovea::fuzz
