// Where linear and conv2d read x and W from: storage buffers or, with TEXELS, texel buffers of 16-byte texels, which the
// software driver llvmpipe reads four times as fast and many phones through their texture cache. Offsets of bindings are
// then whole texels. W's bias comes through the same binding; scales through one of their own, in texels of a half
// (R16_SFLOAT, see runtime/vk/reflect.h).
#ifdef TEXELS
layout(set = 0, binding = 0) uniform samplerBuffer x_texels;
layout(set = 0, binding = 1) uniform usamplerBuffer w_texels;
layout(set = 0, binding = 5) uniform samplerBuffer scale_texels;

vec4 x_vector(uint i) { return texelFetch(x_texels, int(i)); }
float x_word(int i) { return texelFetch(x_texels, i >> 2)[i & 3]; }
uvec4 w_vector(uint i) { return texelFetch(w_texels, int(i)); }
uint w_word(uint i) { return texelFetch(w_texels, int(i >> 2))[i & 3u]; }
#else
layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 0, std430) readonly buffer XVectors { vec4 x_vectors[]; };
layout(set = 0, binding = 1, std430) readonly buffer W { uint w[]; };
layout(set = 0, binding = 1, std430) readonly buffer WVectors { uvec4 w_vectors[]; };

vec4 x_vector(uint i) { return x_vectors[i]; }
float x_word(int i) { return x[i]; }
uvec4 w_vector(uint i) { return w_vectors[i]; }
uint w_word(uint i) { return w[i]; }
#endif
layout(set = 0, binding = 2, std430) readonly buffer Aux { uint aux[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { uint y[]; };
