#include "faults/mutator.h"

#include "base/checked.h"
#include "format/flat_file.h"
#include "support/temp_folder.h"

#include <algorithm>
#include <cstring>

namespace fovea::test {
namespace {

constexpr uint64_t kEdges[] = {0,          1,          2,          3,     31,         33,         0x7F,
                               0xFF,       255,        65535,      65536, 0x7FFFFFFF, 1u << 31,   0xFFFFFFFF,
                               1ull << 32, 1ull << 33, 1ull << 61, ~0ull, ~0ull >> 1, 1ull << 63, 1000003};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_.:-+", c); }

struct Word {
  size_t at, size;
};
std::vector<Word> words_of(const std::string &text) {
  std::vector<Word> words;
  for (size_t i = 0; i < text.size();) {
    size_t n = 0;
    while (i + n < text.size() && text[i + n] && is_word(text[i + n])) ++n;
    if (n > 0) words.push_back({i, n});
    i += std::max<size_t>(n, 1);
  }
  return words;
}

} // namespace

Mutator::Mutator(const std::string &path, uint32_t seed) : whole_(read_file(path)), random_(seed) {
  const auto bytes = std::as_bytes(std::span(whole_.data(), whole_.size()));
  const GgufContents contents = parse_gguf(bytes, path);
  const auto range = [&](const void *at, size_t size) {
    return Range{size_t(static_cast<const char *>(at) - whole_.data()), size};
  };
  for (const MetaEntry &e : contents.metadata)
    (e.key.starts_with(kGraphPrefix) ? graphs_ : values_)
        .push_back(range(e.value.payload.data(), e.value.payload.size()));
  for (const GgufTensor &t : contents.tensors)
    table_.push_back(range(t.name.data(), t.name.size() + 4 + size_t(t.shape.rank()) * 8 + 4 + 8));
  data_begin_ = contents.tensors.front().offset;
  header_end_ = table_.back().at + table_.back().size;
}

void Mutator::damage_bytes(std::string &file, Range range) {
  if (range.size == 0) return;
  const size_t at = range.at + below(range.size);
  switch (below(3)) {
  case 0: file[at] = char(file[at] ^ (1 << below(8))); break;
  case 1: file[at] = char(random_()); break;
  case 2: {
    const uint64_t edge = kEdges[below(std::size(kEdges))];
    const size_t width = size_t(1) << below(4), start = range.at + below(range.size) / width * width;
    std::memcpy(&file[start], &edge, std::min(width, range.at + range.size - start));
    break;
  }
  }
}

void Mutator::replace_text(std::string &file, Range range, const std::string &text) {
  const uint64_t size = text.size();
  std::memcpy(&file[range.at - 8], &size, 8);
  std::string header = file.substr(0, header_end_).replace(range.at, range.size, text);
  header.resize(align_up(header.size(), kFileAlignment), '\0');
  file = header + file.substr(data_begin_);
}

std::string Mutator::edited_graph(const std::string &text) {
  std::string out = text;
  for (size_t n = 1 + below(2); n-- > 0;) {
    const std::vector<Word> words = words_of(out);
    if (words.empty()) return out;
    const Word word = words[below(words.size())];
    const Word other = words[below(words.size())];
    const size_t begin = out.rfind('\n', word.at) + 1, end = std::min(out.find('\n', word.at), out.size());
    switch (below(12)) {
    default: { // a number
      std::vector<Word> numbers;
      for (const Word &w : words)
        if (std::isdigit(static_cast<unsigned char>(out[w.at]))) numbers.push_back(w);
      if (numbers.empty()) break;
      const Word number = numbers[below(numbers.size())];
      const uint64_t old = std::strtoull(out.c_str() + number.at, nullptr, 10);
      const uint64_t near[] = {old + 1, old - 1, old * 2, old / 2, old + 32};
      out.replace(number.at, number.size,
                  std::to_string(below(2) ? near[below(std::size(near))] : kEdges[below(std::size(kEdges))]));
      break;
    }
    case 0:
    case 1:
    case 2: out.replace(word.at, word.size, out.substr(other.at, other.size)); break; // another name
    case 3: out.erase(begin, end - begin); break;                                     // a line less
    case 4: out.insert(begin, out.substr(begin, end - begin) + "\n"); break;          // a line twice
    case 5: out.insert(word.at, 1, "[](),=->#\n \xff"[below(12)]); break;
    case 6: out.erase(word.at, word.size + below(3)); break;
    }
  }
  return out;
}

std::string Mutator::next(std::string &what) {
  std::string file = whole_;
  what.clear();
  const auto say = [&](const char *word) { what.append(what.empty() ? "" : ", ").append(word); };
  for (size_t n = 1 + below(3); n-- > 0;) {
    if (file.size() != whole_.size()) break; // a longer header has moved everything behind it
    switch (below(8)) {
    case 0:
      if (below(2)) break;
      say("byte");
      damage_bytes(file, {0, header_end_});
      break;
    case 1:
      say("weight");
      damage_bytes(file, {data_begin_, file.size() - data_begin_});
      break;
    case 2:
      say("table");
      damage_bytes(file, table_[below(table_.size())]);
      break;
    case 3:
    case 4:
      say("value");
      damage_bytes(file, values_[below(values_.size())]);
      break;
    case 5:
    case 6: {
      say("graph");
      const Range graph = graphs_[below(graphs_.size())];
      replace_text(file, graph, edited_graph(file.substr(graph.at, graph.size)));
      return file; // what follows may have moved
    }
    case 7: {
      if (below(4)) break;
      say("cut");
      file.resize(1 + below(file.size()));
      return file;
    }
    }
  }
  return file;
}

} // namespace fovea::test
