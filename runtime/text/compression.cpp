#include "text/compression.h"

#include "base/error.h"

#include <vector>
#include <zlib.h>

namespace fovea {

double compression_ratio(std::string_view text) {
  if (text.empty()) return 0;
  uLongf n = compressBound(uLong(text.size()));
  std::vector<Bytef> out(n);
  if (compress2(out.data(), &n, reinterpret_cast<const Bytef *>(text.data()), uLong(text.size()), 6) != Z_OK)
    fail(ErrorCode::OutOfMemory, "no memory to compress ", text.size(), " bytes of text");
  return double(text.size()) / double(n);
}

} // namespace fovea
