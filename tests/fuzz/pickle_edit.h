// Edits of PyTorch checkpoints: of the zip's entries, of a pickle's opcodes and their arguments, of storages.
// Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

/// One edit of a pickle, or of several that follow each other with other bytes behind.
std::string edit_pickle(const std::string &bytes, Dice &dice);
/// A whole checkpoint, of either format.
std::string edit_checkpoint(const std::string &file, Dice &dice);
/// A checkpoint with an entry of another.
std::string join_checkpoints(const std::string &a, const std::string &b, Dice &dice);

} // namespace fovea::fuzz
