// Edits of one file of a bundle, by a function for its format. Values.
#pragma once

#include "fuzz/bundle.h"
#include "fuzz/mutation.h"

namespace fovea::fuzz {

/// `edit_file` gets the name and the bytes.
template <class EditFile>
std::string edit_bundle(std::string_view input, Dice &random, EditFile &&edit_file) {
  std::vector<BundledFile> files = unbundle(input);
  if (files.empty()) return {};
  if (random.one_in(32)) {
    shuffle_list(files, random);
  } else if (random.one_in(64)) {
    std::swap(files[random.below(files.size())].name, files[0].name);
  } else {
    for (size_t n = 1 + random.below(2); n-- > 0;) {
      BundledFile &file = files[random.below(files.size())];
      file.bytes = edit_file(file.name, file.bytes, random);
    }
  }
  return bundle(files);
}

/// A file of `a` joined with its namesake of `b`, or in its place.
template <class JoinFile>
std::string join_bundles(std::string_view a, std::string_view b, Dice &random, JoinFile &&join_file) {
  std::vector<BundledFile> files = unbundle(a);
  const std::vector<BundledFile> others = unbundle(b);
  if (files.empty() || others.empty()) return {};
  const BundledFile &other = random.of(others);
  for (BundledFile &file : files) {
    if (file.name != other.name) continue;
    const std::string joined =
        random.one_in(3) ? other.bytes : join_file(file.name, file.bytes, other.bytes, random);
    if (!joined.empty()) file.bytes = joined;
    return bundle(files);
  }
  files.push_back(other);
  return bundle(files);
}

} // namespace fovea::fuzz
