// A whisper.cpp file taken apart, edited and written again with lengths that fit. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_ggml(std::string_view file, Dice &dice);
std::string join_ggml(std::string_view a, std::string_view b, Dice &dice);

} // namespace fovea::fuzz
