// What rotary position embedding multiplies an element by. Includers declare `frequencies`, and `p` with n_frequencies
// and scale.
layout(constant_id = 1) const bool kNeighbours = false; // pairs (2n, 2n + 1); else (n, n + R)

// (cos, signed sin, partner's index).
struct Turn {
  float c, s;
  uint partner;
};

Turn turn(uint d, float position) {
  if (d >= 2u * p.n_frequencies) return Turn(1.0, 0.0, d);
  const bool first = kNeighbours ? (d & 1u) == 0u : d < p.n_frequencies;
  const uint n = kNeighbours ? d >> 1 : (first ? d : d - p.n_frequencies);
  precise const float angle = position * frequencies[n];
  const vec2 sc = sin_cos(angle) * p.scale;
  return Turn(sc.y, first ? -sc.x : sc.x, kNeighbours ? d ^ 1u : (first ? d + p.n_frequencies : n));
}
