// A safetensors file taken apart, edited and written again with lengths and offsets that fit. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_safetensors(const std::string &file, Dice &random);
std::string join_safetensors(const std::string &a, const std::string &b, Dice &random);

} // namespace fovea::fuzz
