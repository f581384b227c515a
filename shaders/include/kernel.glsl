// What every kernel shares: version, workgroup size, step values, number formats.
// Interface of a kernel: set 0, storage buffers at bindings 0-3, StepParams at binding 4, at most 128 bytes of push
// constants, specialization constant 0 = workgroup size. Sizes come from push constants, never from .length().

layout(local_size_x_id = 0) in;

// Stands for minus infinity, which not every driver keeps: exp() of it is 0 and it is smaller than any real value.
const float kLowest = -3.0e38;

// Two adjacent halves of a 32-bit word, low half first: the F16 layout of every buffer.
float half_at(uint word, uint index) { return unpackHalf2x16(word >> ((index & 1u) << 4)).x; }

// Four signed bytes of a word, low first: q8's integers.
vec4 bytes_to_vec4(uint word) {
  const int q = int(word);
  return vec4(bitfieldExtract(q, 0, 8), bitfieldExtract(q, 8, 8), bitfieldExtract(q, 16, 8), q >> 24);
}

// GELU(x) = x Phi(x), the exact form. erf by Abramowitz and Stegun 7.1.26 is only good to 1.5e-7 absolute, which is
// what binary32 leaves anyway; the tails are exact.
float erf_approx(float x) {
  const float a = abs(x);
  const float t = 1.0 / (1.0 + 0.3275911 * a);
  const float poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const float y = 1.0 - poly * exp(-a * a);
  return x < 0.0 ? -y : y;
}
