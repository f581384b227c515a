// llama.cpp's block-quantized types as floats, exactly as ggml's scalar dequantize_row_* compute them.
// Pure; no errors: any bytes are some numbers. Little-endian.
#pragma once

#include "converter/sources/source.h"

namespace fovea {

/// `in` holds out.size() / block_elements(type) blocks. `type` is one of Q4_0 … Q6_K.
void decode_blocks(SourceType type, std::span<const std::byte> in, std::span<float> out);

} // namespace fovea
