// Edits of JSON texts: of its values and keys where it can be parsed, of its words where not.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_json(const std::string &text, Dice &dice);
/// `a` with a value of `b` in place of one of its own.
std::string join_json(const std::string &a, const std::string &b, Dice &dice);

} // namespace fovea::fuzz
