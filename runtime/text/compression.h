// How repetitive a text is: the measure by which a transcript that loops is recognized.
#pragma once

#include <string_view>

namespace fovea {

/// Bytes of `text` over its bytes as a zlib stream at level 6, the same figure as Python's
/// len(text) / len(zlib.compress(text)). 0 for no text. Any thread. Throws Error OutOfMemory.
double compression_ratio(std::string_view text);

} // namespace fovea
