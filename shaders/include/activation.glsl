// Activations by number, shared by linear's epilogue and the elementwise kernels (enum Activation in kernels/select.h).
// No exponential overflows: a driver need not have infinities.
float sigmoid_times(float x, float v) { // x / (1 + exp(-v))
  const float e = exp(-min(abs(v), 100.0));
  return (v < 0.0 ? x * e : x) / (1.0 + e);
}

float activate(uint activation, float v) {
  switch (activation) {
  case 1u: return 0.5 * v * (1.0 + erf_approx(v * 0.70710678118654752));             // gelu
  case 2u: return max(v, 0.0);                                                       // relu
  case 3u: return sigmoid_times(v, v);                                               // silu
  case 4u: return sigmoid_times(v, 1.5957691216057308 * (v + 0.044715 * v * v * v)); // gelu_tanh
  case 5u: return sigmoid_times(v, 1.702 * v);                                       // quick_gelu
  case 6u: {                                                                         // tanh
    const float e = exp(-2.0 * abs(v));
    return sign(v) * (1.0 - e) / (1.0 + e);
  }
  case 7u: return sigmoid_times(1.0, v);                         // sigmoid
  case 8u: return clamp(v, 0.0, 6.0);                            // relu6
  case 9u: return v * clamp(v * (1.0 / 6.0) + 0.5, 0.0, 1.0);    // hardswish
  case 10u: return clamp(v * (1.0 / 6.0) + 0.5, 0.0, 1.0);       // hardsigmoid
  default: return v;
  }
}
