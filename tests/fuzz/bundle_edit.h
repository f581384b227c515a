// Edits of one file of a bundle, by a function for its format. Values.
#pragma once

#include "fuzz/bundle.h"
#include "fuzz/mutation.h"

namespace fovea::fuzz {

/// `edit_file` gets the name and the bytes.
template <class EditFile> std::string edit_bundle(std::string_view input, Dice &dice, EditFile &&edit_file) {
  std::vector<BundledFile> files = unbundle(input);
  if (files.empty()) return {};
  if (dice.one_in(32)) {
    shuffle_list(files, dice);
  } else if (dice.one_in(64)) {
    std::swap(files[dice.below(files.size())].name, files[0].name);
  } else {
    for (size_t n = 1 + dice.below(2); n-- > 0;) {
      BundledFile &file = files[dice.below(files.size())];
      file.bytes = edit_file(file.name, file.bytes, dice);
    }
  }
  return bundle(files);
}

/// A file of `a` joined with its namesake of `b`, or in its place.
template <class JoinFile>
std::string join_bundles(std::string_view a, std::string_view b, Dice &dice, JoinFile &&join_file) {
  std::vector<BundledFile> files = unbundle(a);
  const std::vector<BundledFile> others = unbundle(b);
  if (files.empty() || others.empty()) return {};
  const BundledFile &other = dice.of(others);
  for (BundledFile &file : files) {
    if (file.name != other.name) continue;
    const std::string joined =
        dice.one_in(3) ? other.bytes : join_file(file.name, file.bytes, other.bytes, dice);
    if (!joined.empty()) file.bytes = joined;
    return bundle(files);
  }
  files.push_back(other);
  return bundle(files);
}

} // namespace fovea::fuzz
