// Reading W[n, k] in each encoding, from the 32-bit words that w_word(i) gives. One of W_F32, W_F16, W_Q8, W_Q4 is defined.
//   f32, f16  row-major; f16 two to a word, low half first (a row of odd length starts in the middle of a word)
//   q8        s * q, signed bytes, four to a word, low first
//   q4        s * (nibble - 8), eight to a word, low first
// s: one f16 per 32 elements along K, in a plane of its own, in W's window or in aux; with TEXELS behind a binding of its own.

float weight_scale(uint n, uint k) {
#if defined(W_Q8) || defined(W_Q4)
  const uint i = p.s_offset + n * (p.k >> 5) + (k >> 5);
#ifdef TEXELS
  return texelFetch(scale_texels, int(i)).x;
#else
  return half_at(kAuxScales != 0u ? aux[i >> 1] : w_word(i >> 1), i);
#endif
#else
  return 1.0;
#endif
}

// Four nibbles minus 8, low first: the nibble becomes the low mantissa bits of 2^23, which is exact and cheaper than a
// conversion.
vec4 nibbles_to_vec4(uint bits) {
  const uvec4 nibbles = (uvec4(bits) >> uvec4(0u, 4u, 8u, 12u)) & 15u;
  return uintBitsToFloat(nibbles | 0x4B000000u) - 8388616.0;
}

// W[n, k .. k + 3] without the scale; k % 4 == 0 and k + 3 < K.
vec4 weight4(uint n, uint k) {
#if defined(W_F32)
  const uint i = p.w_offset + n * p.k + k;
  return uintBitsToFloat(uvec4(w_word(i), w_word(i + 1u), w_word(i + 2u), w_word(i + 3u)));
#elif defined(W_F16)
  const uint h = n * p.k + k;
  const uint i = p.w_offset + (h >> 1);
  const vec2 a = unpackHalf2x16(w_word(i)), b = unpackHalf2x16(w_word(i + 1u));
  return (h & 1u) == 0u ? vec4(a, b) : vec4(a.y, b, unpackHalf2x16(w_word(i + 2u)).x);
#elif defined(W_Q8)
  return bytes_to_vec4(w_word(p.w_offset + ((n * p.k + k) >> 2)));
#else
  return nibbles_to_vec4(w_word(p.w_offset + ((n * p.k + k) >> 3)) >> ((k & 4u) << 2));
#endif
}

// W[n, k] of a row's tail, which only unquantized rows have.
float weight1(uint n, uint k) {
  const uint i = n * p.k + k;
#if defined(W_F32)
  return uintBitsToFloat(w_word(p.w_offset + i));
#elif defined(W_F16)
  return half_at(w_word(p.w_offset + (i >> 1)), i);
#else
  return 0.0;
#endif
}
