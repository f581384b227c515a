// A GGUF file taken apart as far as it can be, edited and written again: lengths, counts and offsets fit
// unless an edit says otherwise. For Fovea's own files (alignment 256) and llama.cpp's (32). Values.
#pragma once

#include "fuzz/mutation.h"

#include <optional>

namespace fovea::fuzz {

struct GgufEntry {
  std::string key;
  uint32_t type = 4, element_type = 4;
  std::string bytes;                // of a value of fixed size, a string, an array of fixed size
  std::vector<std::string> strings; // of an array of strings
  std::optional<uint64_t> count;    // in place of the right one
};

struct GgufPlane {
  std::string name;
  std::vector<uint64_t> dims; // innermost first, as stored
  uint32_t type = 0;
  std::string bytes;
  uint64_t offset_error = 0; // added to the right offset
};

struct GgufDocument {
  uint32_t version = 3;
  uint64_t alignment = 256;
  std::vector<GgufEntry> metadata;
  std::vector<GgufPlane> planes;
  std::optional<uint64_t> n_metadata, n_planes; // in place of the right ones

  /// What can be read of `file`; nothing when it does not begin like one.
  static std::optional<GgufDocument> parse(std::string_view file, uint64_t alignment);
  std::string write() const;
  /// One edit. `text`: how to edit a string whose key is given; "" where it does not know the key.
  void
  edit(Dice &dice,
       const std::function<std::string(const std::string &key, const std::string &text, Dice &dice)> &text);
  /// Takes an entry or a tensor of the other file.
  void take_from(const GgufDocument &other, Dice &dice);

private:
  void edit_entry(GgufEntry &entry, Dice &dice,
                  const std::function<std::string(const std::string &, const std::string &, Dice &)> &text);
  void edit_plane(GgufPlane &plane, Dice &dice);
};

} // namespace fovea::fuzz
