// Reading W[n, k] 16 bytes (w_vector) at a time, where rows of W start at multiples of 16 bytes (select.h decides). Include after
// weights.glsl.
#if defined(W_F32)
#define K_PER_VECTOR 4u
#elif defined(W_F16)
#define K_PER_VECTOR 8u
#elif defined(W_Q8)
#define K_PER_VECTOR 16u
#else
#define K_PER_VECTOR 32u
#endif

// Index of the vector that holds W[n, 0].
uint weight_row(uint n) { return (p.w_offset >> 2) + n * (p.k / K_PER_VECTOR); }

// Elements 4 * quad .. 4 * quad + 3 of a vector, without the scale. quad must be a constant after unrolling.
vec4 weight_quad(uvec4 vector, uint quad) {
#if defined(W_F32)
  return uintBitsToFloat(vector);
#elif defined(W_F16)
  return vec4(unpackHalf2x16(vector[2u * quad]), unpackHalf2x16(vector[2u * quad + 1u]));
#elif defined(W_Q8)
  return bytes_to_vec4(vector[quad]);
#else
  return nibbles_to_vec4(vector[quad >> 1] >> ((quad & 1u) << 4));
#endif
}
