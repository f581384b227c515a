// Edits of graph texts: words, lines and numbers, and calls of ops with operands and fields of their own.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_graph(const std::string &text, Dice &dice);
/// `a` with a line of `b`.
std::string join_graphs(const std::string &a, const std::string &b, Dice &dice);

} // namespace fovea::fuzz
