// Edits of image files: of PNG's chunks (what is compressed is edited as it was before), of JPEG's segments,
// of bytes of what else there is. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_picture(std::string_view file, Dice &dice);
std::string join_pictures(std::string_view a, std::string_view b, Dice &dice);

} // namespace fovea::fuzz
