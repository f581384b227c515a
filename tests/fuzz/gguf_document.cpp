#include "fuzz/gguf_document.h"

#include <algorithm>
#include <cstring>

namespace fovea::fuzz {
namespace {

constexpr uint32_t kString = 8, kArray = 9;
constexpr uint64_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}; // of a value, by type
constexpr size_t kMaxItems = 4096;

uint64_t size_of(uint32_t type) { return type < std::size(kSizes) ? kSizes[type] : 4; }

/// Bytes of tensors of ggml's types: those of a block, and its elements. 0: unknown here.
struct Block {
  uint32_t type;
  uint64_t elements, bytes;
};
constexpr Block kBlocks[] = {{0, 1, 4},      {1, 1, 2},      {2, 32, 18}, {3, 32, 20},
                             {6, 32, 22},    {7, 32, 24},    {8, 32, 34}, {12, 256, 144},
                             {13, 256, 176}, {14, 256, 210}, {24, 1, 1},  {25, 1, 2},
                             {26, 1, 4},     {27, 1, 8},     {28, 1, 8},  {30, 1, 2}};

uint64_t bytes_of(const GgufPlane &plane) {
  for (const Block &b : kBlocks)
    if (b.type == plane.type) {
      uint64_t n = 1;
      for (const uint64_t d : plane.dims)
        if (__builtin_mul_overflow(n, d, &n)) return 0;
      return n / b.elements * b.bytes;
    }
  return 0;
}

/// Reads what there is; `good` turns false at the end.
struct In {
  std::string_view rest;
  bool good = true;
  template <class T> T value() {
    T out{};
    good = good && rest.size() >= sizeof out;
    if (!good) return out;
    std::memcpy(&out, rest.data(), sizeof out);
    rest.remove_prefix(sizeof out);
    return out;
  }
  std::string text(uint64_t n) {
    good = good && n <= rest.size();
    if (!good) return {};
    const std::string out(rest.substr(0, n));
    rest.remove_prefix(n);
    return out;
  }
};

template <class T> void add(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}
void add_text(std::string &out, const std::string &text) {
  add(out, uint64_t(text.size()));
  out += text;
}

/// A count, or one that a product with `size` makes small.
uint64_t wrapping(Dice &dice, uint64_t size) {
  if (size == 0 || dice.one_in(2)) return dice.number(1);
  return ~0ull / size + 1 + dice.below(4);
}

GgufEntry parse_entry(In &in) {
  GgufEntry e;
  e.key = in.text(in.value<uint64_t>());
  e.type = in.value<uint32_t>();
  if (e.type == kString) {
    e.bytes = in.text(in.value<uint64_t>());
  } else if (e.type != kArray) {
    e.bytes = in.text(size_of(e.type));
  } else {
    e.element_type = in.value<uint32_t>();
    const auto count = in.value<uint64_t>();
    if (e.element_type == kString)
      for (uint64_t i = 0; i < count && in.good && i < kMaxItems; ++i)
        e.strings.push_back(in.text(in.value<uint64_t>()));
    else
      e.bytes = in.text(count < in.rest.size() ? count * size_of(e.element_type) : ~0ull);
  }
  return e;
}

} // namespace

std::optional<GgufDocument> GgufDocument::parse(std::string_view file, uint64_t alignment) {
  GgufDocument out;
  out.alignment = alignment;
  In in{file};
  if (in.text(4) != "GGUF") return {};
  out.version = in.value<uint32_t>();
  const auto n_planes = in.value<uint64_t>(), n_metadata = in.value<uint64_t>();
  for (uint64_t i = 0; i < n_metadata && in.good && i < kMaxItems; ++i) {
    out.metadata.push_back(parse_entry(in));
    if (!in.good) out.metadata.pop_back();
  }
  std::vector<uint64_t> offsets;
  for (uint64_t i = 0; i < n_planes && in.good && i < kMaxItems; ++i) {
    GgufPlane p;
    p.name = in.text(in.value<uint64_t>());
    const auto rank = in.value<uint32_t>();
    for (uint32_t d = 0; d < rank && in.good; ++d) p.dims.push_back(in.value<uint64_t>());
    p.type = in.value<uint32_t>();
    offsets.push_back(in.value<uint64_t>());
    if (in.good) out.planes.push_back(std::move(p));
  }
  const uint64_t start = (file.size() - in.rest.size() + alignment - 1) / alignment * alignment;
  for (size_t i = 0; i < out.planes.size(); ++i) {
    const uint64_t n = bytes_of(out.planes[i]);
    if (start > file.size() || offsets[i] > file.size() - start || n > file.size() - start - offsets[i])
      continue;
    out.planes[i].bytes = file.substr(start + offsets[i], n);
  }
  return out;
}

std::string GgufDocument::write() const {
  std::string out = "GGUF";
  add(out, version);
  add(out, n_planes.value_or(planes.size()));
  add(out, n_metadata.value_or(metadata.size()));
  for (const GgufEntry &e : metadata) {
    add_text(out, e.key);
    add(out, e.type);
    if (e.type == kString) {
      add(out, e.count.value_or(e.bytes.size()));
    } else if (e.type == kArray) {
      add(out, e.element_type);
      const uint64_t size = size_of(e.element_type);
      add(out, e.count.value_or(e.element_type == kString ? e.strings.size()
                                : size                    ? e.bytes.size() / size
                                                          : 0));
      if (e.element_type == kString) {
        for (const std::string &s : e.strings) add_text(out, s);
        continue;
      }
    }
    out += e.bytes;
  }
  std::string data;
  for (const GgufPlane &p : planes) {
    add_text(out, p.name);
    add(out, uint32_t(p.dims.size()));
    for (const uint64_t d : p.dims) add(out, d);
    add(out, p.type);
    add(out, uint64_t(data.size()) + p.offset_error);
    data += p.bytes;
    data.resize((data.size() + alignment - 1) / alignment * alignment);
  }
  if (!data.empty() || alignment == 256) out.resize((out.size() + alignment - 1) / alignment * alignment);
  return out + data;
}

void GgufDocument::edit_entry(
    GgufEntry &e, Dice &dice,
    const std::function<std::string(const std::string &, const std::string &, Dice &)> &text) {
  switch (dice.below(10)) {
  case 0: e.key = dice.one_in(2) ? mutate_bytes(e.key, 8) : dice.of(metadata).key; return;
  case 1: e.type = uint32_t(dice.one_in(4) ? dice.number(e.type) : dice.below(13)); return;
  case 2: e.element_type = uint32_t(dice.one_in(4) ? dice.number(e.element_type) : dice.below(13)); return;
  case 3: e.count = wrapping(dice, size_of(e.type == kArray ? e.element_type : e.type)); return;
  default: break;
  }
  if (e.type == kArray && e.element_type == kString) {
    if (e.strings.empty() || dice.one_in(3)) return shuffle_list(e.strings, dice);
    std::string &s = e.strings[dice.below(e.strings.size())];
    const std::string known = text(e.key, s, dice);
    s = !known.empty() ? known : dice.one_in(3) ? edit_text(s, dice) : mutate_bytes(s);
    return;
  }
  if (e.type == kString) {
    const std::string known = text(e.key, e.bytes, dice);
    e.bytes = !known.empty() ? known : dice.one_in(3) ? edit_text(e.bytes, dice) : mutate_bytes(e.bytes);
    return;
  }
  const uint64_t size = size_of(e.type == kArray ? e.element_type : e.type);
  if (size == 0 || e.bytes.size() < size || dice.one_in(6)) {
    e.bytes = mutate_bytes(e.bytes, e.type == kArray ? 32 : 0);
    return;
  }
  const size_t at = dice.below(e.bytes.size() / size) * size;
  uint64_t value = 0;
  std::memcpy(&value, e.bytes.data() + at, size);
  value = dice.number(value);
  std::memcpy(e.bytes.data() + at, &value, size);
}

void GgufDocument::edit_plane(GgufPlane &p, Dice &dice) {
  bool fits = true; // whether bytes follow the shape
  switch (dice.below(10)) {
  case 0: p.name = dice.one_in(2) ? mutate_bytes(p.name, 8) : dice.of(planes).name; break;
  case 1: shuffle_list(p.dims, dice); break;
  case 2:
  case 3:
  case 4:
    if (p.dims.empty()) p.dims.push_back(1);
    p.dims[dice.below(p.dims.size())] = dice.one_in(2) ? dice.below(70) : dice.number(p.dims[0]);
    break;
  case 5:
    p.type = uint32_t(dice.one_in(4) ? dice.number(p.type) : kBlocks[dice.below(std::size(kBlocks))].type);
    break;
  case 6:
    p.offset_error = dice.number(0);
    fits = false;
    break;
  case 7:
    p.bytes = mutate_bytes(p.bytes);
    fits = false;
    break;
  case 8: p.dims = dice.of(planes).dims; break;
  case 9:
    if (p.dims.empty()) return;
    p.dims[0] = wrapping(dice, 4 * (p.dims.size() > 1 ? p.dims[1] : 1));
    fits = false;
    break;
  }
  if (fits && !dice.one_in(8))
    if (const uint64_t n = bytes_of(p); n < 1 << 14) p.bytes.resize(n, '\x2a');
}

void GgufDocument::edit(
    Dice &dice, const std::function<std::string(const std::string &, const std::string &, Dice &)> &text) {
  switch (dice.below(16)) {
  case 0: return shuffle_list(metadata, dice);
  case 1:
    if (dice.one_in(2)) return shuffle_list(planes, dice);
    if (dice.one_in(4)) version = uint32_t(dice.number(version));
    if (dice.one_in(4)) n_planes = dice.number(planes.size());
    if (dice.one_in(4)) n_metadata = dice.number(metadata.size());
    return;
  case 2:
  case 3:
  case 4:
  case 5:
    if (!planes.empty()) edit_plane(planes[dice.below(planes.size())], dice);
    return;
  default:
    if (!metadata.empty()) edit_entry(metadata[dice.below(metadata.size())], dice, text);
  }
}

void GgufDocument::take_from(const GgufDocument &other, Dice &dice) {
  if (!other.metadata.empty() && (other.planes.empty() || dice.one_in(2))) {
    const GgufEntry &entry = dice.of(other.metadata);
    const auto same =
        std::find_if(metadata.begin(), metadata.end(), [&](const auto &e) { return e.key == entry.key; });
    if (same == metadata.end())
      metadata.push_back(entry);
    else
      *same = entry;
  } else if (!other.planes.empty()) {
    planes.insert(planes.begin() + std::ptrdiff_t(dice.below(planes.size() + 1)), dice.of(other.planes));
  }
}

} // namespace fovea::fuzz
