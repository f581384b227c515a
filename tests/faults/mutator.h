// Damages a model file at random: bytes anywhere, and, since those are mostly refused by the container's
// checks, also values of metadata, sizes in the tensor table and words of graph texts inside an intact
// container, so that the damage reaches the parsers behind it. One thread; the same seed gives the same
// files.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fovea::test {

class Mutator {
public:
  /// path: an intact model file.
  Mutator(const std::string &path, uint32_t seed);
  /// The file's bytes with one to three faults. `what` is filled with a word for each, for messages.
  std::string next(std::string &what);

private:
  struct Range {
    size_t at, size;
  };
  size_t below(size_t n) { return n == 0 ? 0 : size_t(random_() % n); }
  void damage_bytes(std::string &file, Range range);
  /// Of the string whose characters lie in `range` (its length before them), then pads the header anew.
  void replace_text(std::string &file, Range range, const std::string &text);
  std::string edited_graph(const std::string &text);

  std::string whole_;
  std::vector<Range> graphs_, values_, table_;
  size_t header_end_ = 0, data_begin_ = 0;
  std::mt19937 random_;
};

} // namespace fovea::test
