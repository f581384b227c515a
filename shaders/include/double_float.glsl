// Numbers of about 46 bits as the sum of two floats (Dekker, 1971), for what must round as doubles do. `precise` keeps
// compilers from simplifying the error terms away.
vec2 df_renormalize(float high, float low) {
  precise float s = high + low;
  precise float e = low - (s - high);
  return vec2(s, e);
}
vec2 df_of(int v) { return df_renormalize(float(v - (v & 4095)), float(v & 4095)); }
vec2 df_add(vec2 a, vec2 b) {
  precise float s = a.x + b.x;
  precise float t = s - a.x;
  precise float e = (a.x - (s - t)) + (b.x - t);
  precise float low = e + (a.y + b.y);
  return df_renormalize(s, low);
}
vec2 df_mul(vec2 a, vec2 b) {
  precise float p = a.x * b.x;
  precise float c = 4097.0 * a.x, d = 4097.0 * b.x;
  precise float ah = c - (c - a.x), bh = d - (d - b.x);
  precise float al = a.x - ah, bl = b.x - bh;
  precise float e = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
  precise float low = e + (a.x * b.y + a.y * b.x);
  return df_renormalize(p, low);
}
vec2 df_div(vec2 a, vec2 b) {
  precise float q = a.x / b.x;
  const vec2 r = df_add(a, df_mul(b, vec2(-q, 0.0)));
  precise float s = r.x / b.x;
  const vec2 t = df_add(r, df_mul(b, vec2(-s, 0.0)));
  precise float low = s + t.x / b.x;
  return df_renormalize(q, low);
}
