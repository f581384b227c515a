// A safetensors file taken apart, edited and written again with lengths and offsets that fit. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_safetensors(const std::string &file, Dice &dice);
std::string join_safetensors(const std::string &a, const std::string &b, Dice &dice);

} // namespace fovea::fuzz
