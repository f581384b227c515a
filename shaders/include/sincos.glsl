// (sin x, cos x) to about 1e-7 for |x| up to 2^17: GLSL promises only 2^-11, and only up to pi.
// Cody and Waite's reduction to [-pi/4, pi/4] (pi/2 in four parts, so that products with the quadrant's number are
// exact), then the minimax polynomials of Cephes' sinf and cosf (Moshier).
vec2 sin_cos(float x) {
  const float quadrant = floor(x * 0.63661977236758134 + 0.5); // 2 / pi
  precise float r = x;
  r = r - quadrant * 1.5625; // each part but the last has 7 bits or fewer
  r = r - quadrant * 0.0081787109375;
  r = r - quadrant * 0.00011730194091796875;
  r = r - quadrant * 3.1391647326017846e-07;
  const float r2 = r * r;
  const float s = r + r * r2 * (-1.6666654611e-1 + r2 * (8.3321608736e-3 - r2 * 1.9515295891e-4));
  const float c = 1.0 - 0.5 * r2 + r2 * r2 * (4.166664568298827e-2 + r2 * (-1.388731625493765e-3 + r2 * 2.443315711809948e-5));
  const uint q = uint(int(quadrant)) & 3u;
  const vec2 turned = (q & 1u) == 0u ? vec2(s, c) : vec2(c, -s);
  return (q & 2u) == 0u ? turned : -turned;
}
