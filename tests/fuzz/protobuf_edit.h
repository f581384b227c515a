// Edits of protocol buffers by their wire format, whatever the messages are. Values.
#pragma once

#include "fuzz/mutation.h"

namespace fovea::fuzz {

std::string edit_protobuf(const std::string &bytes, Dice &dice);

} // namespace fovea::fuzz
