#include "fuzz/pickle_edit.h"

#include "support/pytorch_files.h"

#include <algorithm>
#include <optional>

namespace fovea::fuzz {
namespace {

/// An entry, and what the directory says of it when that is not what it should.
struct Entry {
  std::string name, bytes;
  uint16_t method = 0, flags = 0;
  std::optional<uint32_t> stored, original, offset;
  std::string extra; // of the directory, when it is not zip64's
};

/// Bytes of an argument's length before it, for opcodes that have such; else the argument's own bytes.
struct Argument {
  uint8_t opcode;
  int length_bytes, bytes;
};
constexpr Argument kArguments[] = {{0x80, 0, 1}, {0x95, 0, 8}, {'K', 0, 1}, {'M', 0, 2}, {'J', 0, 4},
                                   {0x8a, 1, 0}, {0x8b, 4, 0}, {'G', 0, 8}, {'X', 4, 0}, {'T', 4, 0},
                                   {'B', 4, 0},  {0x8c, 1, 0}, {'U', 1, 0}, {'C', 1, 0}, {0x8d, 8, 0},
                                   {0x8e, 8, 0}, {'q', 0, 1},  {'r', 0, 4}, {'h', 0, 1}, {'j', 0, 4}};

struct Instruction {
  uint8_t opcode = 0;
  std::string argument; // what a length counts, or all of it
};

const Argument *argument_of(uint8_t opcode) {
  const auto row = std::find_if(std::begin(kArguments), std::end(kArguments),
                                [&](const Argument &a) { return a.opcode == opcode; });
  return row == std::end(kArguments) ? nullptr : row;
}

/// Up to the STOP; `used` says how many bytes.
std::vector<Instruction> parse(std::string_view bytes, size_t &used) {
  std::vector<Instruction> out;
  used = 0;
  while (used < bytes.size()) {
    Instruction i{uint8_t(bytes[used++]), {}};
    const Argument *a = argument_of(i.opcode);
    uint64_t n = a ? uint64_t(a->bytes) : 0;
    if (a && a->length_bytes > 0) {
      n = 0;
      std::memcpy(&n, bytes.data() + used, std::min<size_t>(size_t(a->length_bytes), bytes.size() - used));
      used = std::min(bytes.size(), used + size_t(a->length_bytes));
    }
    if (i.opcode == 'c') // two lines
      n = std::min(bytes.find('\n', std::min(bytes.find('\n', used), bytes.size() - 1) + 1),
                   bytes.size() - 1) +
          1 - used;
    n = std::min<uint64_t>(n, bytes.size() - used);
    i.argument = bytes.substr(used, n);
    used += n;
    const bool stops = i.opcode == '.';
    out.push_back(std::move(i));
    if (stops) break;
  }
  return out;
}

std::string written(const std::vector<Instruction> &instructions) {
  std::string out;
  for (const Instruction &i : instructions) {
    out += char(i.opcode);
    const uint64_t n = i.argument.size();
    if (const Argument *a = argument_of(i.opcode); a && a->length_bytes > 0)
      out.append(reinterpret_cast<const char *>(&n), size_t(a->length_bytes));
    out += i.argument;
  }
  return out;
}

Instruction any_instruction(Dice &dice) {
  static const std::vector<std::string> names = {"torch._utils\n_rebuild_tensor_v2\n",
                                                 "torch._utils\n_rebuild_tensor\n",
                                                 "torch._utils\n_rebuild_parameter\n",
                                                 "collections\nOrderedDict\n",
                                                 "torch\nFloatStorage\n",
                                                 "torch\nHalfStorage\n",
                                                 "torch\nSize\n",
                                                 "os\nsystem\n"};
  static constexpr std::string_view plain = "(.012N\x88\x89)t\x85\x86\x87]lae}dsu\x94R\x62Q\x93";
  if (dice.one_in(8)) return {'c', dice.of(names)};
  if (dice.one_in(2)) return {uint8_t(plain[dice.below(plain.size())]), {}};
  const Argument &a = kArguments[dice.below(std::size(kArguments))];
  const uint64_t value = dice.one_in(2) ? dice.below(20) : dice.number(1);
  return {a.opcode, std::string(reinterpret_cast<const char *>(&value),
                                a.length_bytes ? dice.below(9) : size_t(a.bytes))};
}

void edit(std::vector<Instruction> &all, Dice &dice) {
  const size_t at = dice.below(all.size());
  Instruction &i = all[at];
  switch (dice.below(6)) {
  case 0: return shuffle_list(all, dice);
  case 1: return void(all.insert(all.begin() + std::ptrdiff_t(at), any_instruction(dice)));
  case 2: i = any_instruction(dice); return;
  case 3: { // a stretch once more
    const size_t n = std::min(all.size() - at, 1 + dice.below(30));
    const std::vector<Instruction> part(all.begin() + std::ptrdiff_t(at),
                                        all.begin() + std::ptrdiff_t(at + n));
    all.insert(all.begin() + std::ptrdiff_t(dice.below(all.size())), part.begin(), part.end());
    return;
  }
  default: { // the next one with an argument
    const auto with = std::find_if(all.begin() + std::ptrdiff_t(at), all.end(),
                                   [](const Instruction &x) { return !x.argument.empty(); });
    if (with == all.end()) return;
    const Argument *a = argument_of(with->opcode);
    if (!a || a->length_bytes > 0) {
      with->argument = mutate_bytes(with->argument, 8);
      return;
    }
    uint64_t value = 0;
    std::memcpy(&value, with->argument.data(), with->argument.size());
    value = dice.one_in(2) ? dice.below(20) : dice.number(value);
    std::memcpy(with->argument.data(), &value, with->argument.size());
  }
  }
}

/// A zip of entries, one after another; `wide`: numbers in zip64's records.
std::string written(const std::vector<Entry> &entries, bool wide) {
  using test::raw;
  constexpr uint32_t kWide = 0xFFFFFFFF;
  const std::string nothing16 = raw(uint16_t(0)), nothing32 = raw(uint32_t(0));
  std::string out, directory;
  for (const Entry &e : entries) {
    const uint64_t at = out.size(), n = e.bytes.size();
    const auto number = [&](const std::optional<uint32_t> &given, uint64_t value) {
      return raw(given.value_or(wide ? kWide : uint32_t(value)));
    };
    const auto head = [&] {
      return raw(e.flags) + raw(e.method) + nothing32 + nothing32 + number(e.stored, n) +
             number(e.original, n) + raw(uint16_t(e.name.size()));
    };
    const std::string local = wide ? raw(uint16_t(1)) + raw(uint16_t(16)) + raw(n) + raw(n) : "";
    std::string extra = wide ? raw(uint16_t(1)) + raw(uint16_t(24)) + raw(n) + raw(n) + raw(at) : "";
    if (!e.extra.empty()) extra = e.extra;
    out += "PK\3\4" + raw(uint16_t(45)) + head() + raw(uint16_t(local.size())) + e.name + local + e.bytes;
    directory += "PK\1\2" + raw(uint16_t(45)) + raw(uint16_t(45)) + head() + raw(uint16_t(extra.size())) +
                 nothing16 + nothing16 + nothing16 + nothing32 + number(e.offset, at) + e.name + extra;
  }
  const uint64_t start = out.size(), count = entries.size();
  out += directory;
  if (wide)
    out += "PK\6\6" + raw(uint64_t(44)) + raw(uint16_t(45)) + raw(uint16_t(45)) + nothing32 + nothing32 +
           raw(count) + raw(count) + raw(uint64_t(directory.size())) + raw(start) + "PK\6\7" + nothing32 +
           raw(start + directory.size()) + raw(uint32_t(1));
  const auto n_entries = raw(uint16_t(wide ? 0xFFFF : count));
  return out + "PK\5\6" + nothing32 + n_entries + n_entries + raw(wide ? kWide : uint32_t(directory.size())) +
         raw(wide ? kWide : uint32_t(start)) + nothing16;
}

/// A field of a directory's entry that is not what it should be.
void edit_directory(Entry &e, Dice &dice) {
  const auto number = [&] { return uint32_t(dice.one_in(2) ? 0xFFFFFFFF : dice.number(e.bytes.size())); };
  switch (dice.below(6)) {
  case 0: e.flags = uint16_t(dice.number(0)); break;
  case 1: e.method = uint16_t(dice.number(0)); break;
  case 2: e.stored = number(); break;
  case 3: e.stored = e.original = number(); break;
  case 4: e.offset = number(); break;
  case 5: { // records of an id and a size, the last perhaps cut
    e.extra.clear();
    for (size_t n = 1 + dice.below(2); n-- > 0;) {
      const size_t size = dice.one_in(3) ? dice.below(40) : 8 * dice.below(4);
      e.extra += test::raw(uint16_t(dice.one_in(4) ? dice.number(1) : 1)) +
                 test::raw(uint16_t(dice.one_in(6) ? dice.number(size) : size));
      for (size_t i = 0; i < size; ++i) e.extra += char(dice.one_in(6) ? dice.below(256) : 0);
    }
    if (dice.one_in(3)) e.extra.resize(dice.below(e.extra.size()));
    break;
  }
  }
}

/// The entries by their own headers, one after another.
std::vector<Entry> entries_of(std::string_view file) {
  std::vector<Entry> out;
  for (size_t at = 0; at + 30 < file.size() && file.substr(at, 4) == "PK\3\4" && out.size() < 64;) {
    const auto number = [&](size_t offset, size_t n) {
      uint64_t value = 0;
      std::memcpy(&value, file.data() + at + offset, n);
      return value;
    };
    const uint64_t n_name = number(26, 2), n_extra = number(28, 2);
    uint64_t n = number(18, 4);
    const size_t data = at + 30 + n_name + n_extra;
    if (n == 0xFFFFFFFF && n_extra >= 20 && data < file.size()) std::memcpy(&n, file.data() + data - 8, 8);
    if (data > file.size() || n > file.size() - data) break;
    Entry e;
    e.name = file.substr(at + 30, n_name);
    e.bytes = file.substr(data, n);
    e.method = uint16_t(number(8, 2));
    out.push_back(std::move(e));
    at = data + n;
  }
  return out;
}

void edit_entry(std::vector<Entry> &entries, Dice &dice) {
  Entry &e = entries[dice.below(entries.size())];
  switch (dice.below(8)) {
  case 0: e.name = dice.one_in(2) ? mutate_bytes(e.name, 8) : dice.of(entries).name; break;
  case 1: shuffle_list(entries, dice); break;
  case 2:
  case 3:
    for (size_t n = 1 + dice.below(4); n-- > 0;) edit_directory(e, dice);
    break;
  default: e.bytes = e.name.ends_with(".pkl") ? edit_pickle(e.bytes, dice) : mutate_bytes(e.bytes); break;
  }
}

} // namespace

std::string edit_pickle(const std::string &bytes, Dice &dice) {
  std::string out;
  for (std::string_view rest = bytes; !rest.empty();) {
    size_t used = 0;
    std::vector<Instruction> instructions = parse(rest, used);
    const bool last = used == rest.size() || instructions.size() < 3;
    if (last || dice.one_in(3)) {
      for (size_t n = 1 + dice.below(3); n-- > 0 && !instructions.empty();) edit(instructions, dice);
      return out + written(instructions) + std::string(rest.substr(used));
    }
    out += rest.substr(0, used);
    rest.remove_prefix(used);
  }
  return mutate_bytes(bytes);
}

std::string edit_checkpoint(const std::string &file, Dice &dice) {
  if (file.empty() || dice.one_in(8)) return mutate_bytes(file);
  if (!file.starts_with("PK")) return edit_pickle(file, dice);
  std::vector<Entry> entries = entries_of(file);
  if (entries.empty()) return mutate_bytes(file);
  const auto pickle = std::find_if(entries.begin(), entries.end(),
                                   [](const auto &e) { return e.name.ends_with("data.pkl"); });
  for (size_t n = 1 + dice.below(2); n-- > 0 && !entries.empty();)
    if (pickle != entries.end() && n == 0 && dice.one_in(2))
      pickle->bytes = edit_pickle(pickle->bytes, dice);
    else {
      edit_entry(entries, dice);
      break; // the list may have moved
    }
  return written(entries, dice.one_in(4));
}

std::string join_checkpoints(const std::string &a, const std::string &b, Dice &dice) {
  std::vector<Entry> entries = entries_of(a);
  const std::vector<Entry> others = entries_of(b);
  if (others.empty()) return {};
  const Entry &other = dice.of(others);
  const auto same =
      std::find_if(entries.begin(), entries.end(), [&](const auto &e) { return e.name == other.name; });
  if (same == entries.end())
    entries.push_back(other);
  else
    *same = other;
  return written(entries, dice.one_in(4));
}

} // namespace fovea::fuzz
