// Pixels: red, green, blue and alpha in the bytes of a word, lowest first.
uvec3 unpack_rgb(uint word) { return uvec3(word & 255u, (word >> 8) & 255u, (word >> 16) & 255u); }
uint pack_rgb(uvec3 c) { return c.r | c.g << 8 | c.b << 16; }

// Sums of weight x byte to bytes, weights times 2^22 (runtime/ops/image_axis.h); start a sum with kHalf.
const ivec3 kHalf = ivec3(1 << 21);
uvec3 bytes_of(ivec3 sum) { return uvec3(clamp(sum >> 22, ivec3(0), ivec3(255))); }
