#include "fuzz/protobuf_edit.h"

namespace fovea::fuzz {
namespace {

struct Field {
  uint64_t key = 0; // number << 3 | type
  uint64_t number = 0;
  std::string bytes; // of fixed size or with a length
};

uint64_t varint(std::string_view &in) {
  uint64_t value = 0;
  for (unsigned shift = 0; !in.empty() && shift < 64; shift += 7) {
    const auto byte = uint8_t(in[0]);
    in.remove_prefix(1);
    value |= uint64_t(byte & 127) << shift;
    if (byte < 128) break;
  }
  return value;
}
void add_varint(std::string &out, uint64_t value) {
  for (; value > 127; value >>= 7) out += char(uint8_t(value | 128));
  out += char(uint8_t(value));
}

std::vector<Field> parse(std::string_view in) {
  std::vector<Field> out;
  while (!in.empty() && out.size() < 4096) {
    Field f;
    f.key = varint(in);
    if ((f.key & 7) == 0)
      f.number = varint(in);
    else {
      const uint64_t n = (f.key & 7) == 1 ? 8 : (f.key & 7) == 5 ? 4 : varint(in);
      f.bytes = in.substr(0, n);
      in.remove_prefix(f.bytes.size());
    }
    out.push_back(std::move(f));
  }
  return out;
}

std::string written(const std::vector<Field> &fields) {
  std::string out;
  for (const Field &f : fields) {
    add_varint(out, f.key);
    if ((f.key & 7) == 0) add_varint(out, f.number);
    if ((f.key & 7) == 2) add_varint(out, f.bytes.size());
    if ((f.key & 7) != 0) out += f.bytes;
  }
  return out;
}

} // namespace

std::string edit_protobuf(const std::string &bytes, Dice &dice) {
  std::vector<Field> fields = parse(bytes);
  if (fields.empty() || dice.one_in(8)) return mutate_bytes(bytes);
  Field &f = fields[dice.below(fields.size())];
  switch (dice.below(6)) {
  case 0: shuffle_list(fields, dice); break;
  case 1: f.key = dice.one_in(3) ? dice.number(f.key) : (1 + dice.below(45)) << 3 | (f.key & 7); break;
  case 2: f.number = dice.number(f.number); break;
  default: // mostly a message inside
    f.bytes = (f.key & 7) == 2 && dice.one_in(2) ? edit_protobuf(f.bytes, dice) : mutate_bytes(f.bytes, 8);
    f.number ^= dice.below(4);
  }
  return written(fields);
}

} // namespace fovea::fuzz
