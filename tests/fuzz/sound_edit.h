// Edits of sound files: of the chunks of RIFF, FORM and the like, of OGG pages with checksums that fit, of
// bytes of what else there is. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_sound(std::string_view file, Dice &dice);
std::string join_sounds(std::string_view a, std::string_view b, Dice &dice);

} // namespace fovea::fuzz
