// store_quad: four adjacent columns at a time, with 16-byte (f16: 8-byte) stores where kQuadStores says that y and the
// residual are aligned for them: offsets, strides and n_cols multiples of 4. A specialization constant, because both ways
// in one kernel, once for each row of its tile, take longer to compile than all the rest of it. Include after
// epilogue.glsl and kQuadStores.
layout(set = 0, binding = 2, std430) readonly buffer AuxVectors { uvec4 aux_vectors[]; };
layout(set = 0, binding = 3, std430) writeonly buffer YVectors { uvec4 y_vectors[]; };
layout(set = 0, binding = 3, std430) writeonly buffer YPairs { uvec2 y_pairs[]; };

// Columns n .. n + 3, n % 4 == 0; what lies outside y is not stored.
void store_quad(uint row, uint begin, uint n, vec4 sum) {
  if (!kQuadStores) {
    store_pair(row, begin, n, sum.x, sum.y);
    store_pair(row, begin, n + 2u, sum.z, sum.w);
    return;
  }
  if (row >= p.n_rows || n >= p.n_cols) return;
  if (kResidual == kGated) {
    const vec2 v = vec2(activate(kActivation, sum.x), activate(kActivation, sum.z)) * sum.yw;
    y_pairs[(begin + (n >> 1)) >> 1] = floatBitsToUint(v);
    return;
  }
  vec4 residual = vec4(0.0), v;
  if (kResidual != 0u)
    residual = uintBitsToFloat(aux_vectors[(p.r_offset + row * p.r_stride + first_column() + n) >> 2]);
  if (kResidual == 2u) sum += residual;
  [[unroll]] for (uint i = 0u; i < 4u; ++i) v[i] = activate(kActivation, sum[i]);
  if (kResidual == 1u) v += residual;
  if (kHalfOutput != 0u)
    y_pairs[(begin + n) >> 2] = uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
  else
    y_vectors[(begin + n) >> 2] = floatBitsToUint(v);
}
