#include "check/standard_cases.h"

#include "base/log.h"
#include "base/words.h"
#include "ops/registry.h"

#include <algorithm>

namespace fovea::check {
namespace {

// A tensor's name says what it is: NAME-ENCODING-ROWS-COLUMNS. "%" stands for each encoding in turn.
constexpr const char *kAnyWeights[] = {
    // Few rows (a step of decoding), many (an encoder), a bias, an activation, a residual, a gate.
    "in x f32 [1, 384]\n out y = linear(x, w-%-1536-384, b-f32-1536) act=gelu",
    "in x f32 [1, 1536]\n in r f32 [1, 384]\n out y = linear(x, w-%-384-1536, b-f32-384, r)",
    "in x f32 [1, 576]\n out y = linear(x, w-%-3072-576) act=silu gated=true",
    "in x f32 [5, 576]\n out y = linear(x, w-%-960-576)",
    "in x f32 [130, 384]\n out y = linear(x, w-%-384-384, b-f32-384)",
    "in x f32 [130, 384]\n out y = linear(x, w-%-1536-384, b-f32-1536) act=gelu",
    "in x f32 [130, 1536]\n in r f32 [130, 384]\n out y = linear(x, w-%-384-1536, b-f32-384, r)",
    "in x f32 [130, 576]\n out y = linear(x, w-%-3072-576) act=silu gated=true",
    "in x f32 [33, 160]\n out y = linear(x, w-%-75-160)", // sizes that no tile divides
    "in x f32 [1, 576]\n h = rms_norm(x, g-f32-576)\n out y = linear(h, w-%-960-576)",
    "in x f32 [1, 384]\n h = layer_norm(x, g-f32-384, b-f32-384)\n out y = linear(h, w-%-384-384, c-f32-384)",
    "in x f32 [1, 28, 28, 64]\n out y = conv2d(x, w-%-64-576, b-f32-64) kernel=3 padding=1 act=relu",
    "in x f32 [1, 14, 14, 96]\n out y = conv2d(x, w-%-64-96, b-f32-64) kernel=1",
    "in x f32 [1, 200, 80]\n out y = conv1d(x, w-%-64-240, b-f32-64) kernel=3 padding=1 act=gelu",
    "in x f32 [1, 20, 512]\n out y = lstm(x, w-%-512-128, b-f32-512)",
    "in x f32 [1, 20, 384]\n out y = gru(x, w-%-384-128, b-f32-384)",
    "in t i32 [1, 9]\n step pos\n out y = embed(t, w-%-1000-384, p-f32-64-384) at=pos",
    "in t i32 [1, 9]\n out y = embed(t, w-%-1000-576) scale=2",
};

constexpr const char *kOthers[] = {
    "in q f32 [130, 384]\n in k f32 [130, 384]\n in v f32 [130, 384]\n out y = attention(q, k, v) heads=6",
    "in q f32 [1, 384]\n step pos\n state k f16 [448, 384]\n state v f16 [448, 384]\n"
    " out y = attention(q, k, v) heads=6 causal=true past=pos",
    "in q f32 [1, 1, 576]\n step pos\n state k f16 [1, 512, 192]\n state v f16 [1, 512, 192]\n"
    " out y = attention(q, k, v) heads=9 kv_heads=3 causal=true past=pos",
    "in q f32 [1, 130, 576]\n step pos\n state k f16 [1, 512, 192]\n state v f16 [1, 512, 192]\n"
    " out y = attention(q, k, v) heads=9 kv_heads=3 causal=true past=pos",
    "in q f32 [1, 1, 384]\n step pos\n state k q8 [1, 448, 384]\n state v q8 [1, 448, 384]\n"
    " out y = attention(q, k, v) heads=6 causal=true past=pos",
    "in q f32 [1, 1, 384]\n step pos\n state k f32 [1, 448, 384]\n state v f32 [1, 448, 384]\n"
    " out y = attention(q, k, v) heads=6 causal=true past=pos",
    "in q f32 [2, 40, 192]\n in k f32 [2, 40, 192]\n in m i32 [2, 40]\n in b f32 [3, 79]\n"
    " out y = attention(q, k, k, m, b) heads=3",
    "in q f32 [1, 40, 192]\n in k f32 [1, 40, 192]\n out y = attention_weights(q, k) heads=3 causal=true",
    "in x f32 [130, 384]\n out y = layer_norm(x, g-f32-384, b-f32-384)",
    "in x f32 [130, 576]\n out y = rms_norm(x, g-f32-576)",
    "in x f32 [1, 130, 576]\n out y = rms_norm(x, g-f32-64) heads=9",
    "in x f32 [130, 200]\n out y = softmax(x) scale=0.125",
    "in x f32 [130, 200]\n out y = softmax(x) log=true",
    "in x f32 [9, 384]\n out y = l2_normalize(x)",
    "in x f32 [80, 300]\n out y = reduce_max(x)",
    "in x f32 [1, 51865]\n in r i32 [1, 4]\n out y = token_rules(x, s-f32-51865, r) time_begin=50364",
    "in x f32 [1, 51865]\n out y = top_k(x) k=64",
    "in x f32 [130, 384]\n in z f32 [130, 384]\n out y = binary(x, z) f=add",
    "in x f32 [130, 384]\n in z f32 [384]\n out y = binary(x, z) f=mul",
    "in x f32 [130, 384]\n out y = unary(x) f=gelu",
    "in x f32 [130, 384]\n out y = unary(x) f=exp",
    "in x f32 [1, 28, 28, 64]\n out y = channels_first(x)",
    "in x f32 [1, 3, 32, 32]\n out y = channels_last(x) channels=4",
    "in x f32 [1, 14, 14, 64]\n in z f32 [1, 14, 14, 32]\n out y = concat(x, z) axis=channels",
    "in x f32 [1, 14, 14, 63]\n in z f32 [1, 14, 14, 31]\n out y = concat(x, z) axis=channels",
    "in x f32 [40, 384]\n step pos\n state s f16 [448, 384]\n copy(x) -> s[pos]",
    "in x f32 [40, 384]\n step pos\n state s q8 [448, 384]\n copy(x) -> s[pos]",
    "in x f32 [1, 28, 28, 96]\n out y = depthwise_conv2d(x, w-f32-9-96, b-f32-96) kernel=3 padding=1 "
    "act=relu6",
    "in x f32 [1, 28, 28, 95]\n out y = depthwise_conv2d(x, w-f32-9-95, b-f32-95) kernel=3 padding=1 "
    "stride=2",
    "in a f32 [9, 512]\n in b f32 [5, 512]\n out y = dot_rows(a, b)",
    "in x f32 [80, 300]\n in p f32 [1]\n out y = dynamic_range(x, p) range=8 offset=4 scale=0.25",
    "in x f32 [64, 64, 3]\n out y = normalize_image(x, a-f32-3, b-f32-3)",
    "in x f32 [1, 40, 1024]\n out y = gated(x) act=silu",
    "in x f32 [1, 40, 66]\n out y = gated(x) act=gelu",
    "in x f32 [1, 14, 14, 3]\n out y = map_positions(x) features=64",
    "in x f32 [1, 28, 28, 64]\n out y = pool2d(x) f=max kernel=3 stride=2 padding=1",
    "in x f32 [1, 28, 28, 63]\n out y = pool2d(x) f=mean kernel=2 stride=2",
    "in x f32 [1, 28, 28, 64]\n out y = group_norm(x, g-f32-64, b-f32-64) groups=8",
    "in x f32 [3, 40, 384]\n in m i32 [3, 40]\n out y = pool_rows(x, m) f=mean",
    "in x f32 [80, 402]\n out y = power_spectrum(x)",
    "in x f32 [4000]\n out y = reflect_pad(x) left=200 right=200 length=4000",
    "in x f32 [1, 14, 14, 64]\n out y = resize2d(x) factor=2",
    "in x f32 [1, 14, 14, 63]\n out y = resize2d(x) mode=bicubic height=20 width=24",
    "in i i32 [60, 80]\n out y = resize_image(i) height=32 width=48",
    "in i i32 [60, 80]\n out y = resize_image(i) height=90 width=120 antialias=false",
    "in i i32 [60, 80]\n out y = resize_image(i) shortest=32 filter=bicubic crop_height=32 crop_width=32",
    "in x f32 [3, 9, 384]\n in t i32 [3, 9]\n out y = row_of_token(x, t) highest=true",
    "in x f32 [1, 9, 576]\n in f f32 [32]\n step pos\n out y = rope(x, f) heads=9 at=pos",
    "in x f32 [1, 9, 960]\n in f f32 [32]\n step pos\n state k f16 [1, 512, 192]\n state v f16 [1, 512, "
    "192]\n"
    " out y = rope_qkv(x, f, k, v) heads=9 kv_heads=3 at=pos",
    "in x f32 [1, 9, 90]\n in f f32 [3]\n step pos\n state k f32 [1, 64, 18]\n state v f32 [1, 64, 18]\n"
    " out y = rope_qkv(x, f, k, v) heads=9 kv_heads=3 at=pos",
    "in x f32 [3, 7, 384]\n in o i32 [3]\n out y = take_batch(x, o)",
    "in o i32 [3]\n step n\n state s f16 [3, 64, 384]\n take_batch(s, o) rows=n -> s",
    "in x f32 [200, 384]\n out y = transpose(x)",
    "in x f32 [3, 40, 384]\n in w f32 [3, 40]\n out y = weighted_sum(x, w)",
    "in x f32 [4, 9, 384]\n in like i32 [2, 7]\n out y = regroup(x, like)",
    "in x f32 [1, 9, 384]\n in like i32 [3, 7]\n out y = repeat(x, like)",
    "in x f32 [1, 40, 384]\n out y = slice(x) axis=rows begin=3 count=5",
};

std::pair<std::string, TensorType> tensor_named(const std::string &name) {
  std::vector<uint64_t> dims;
  std::string_view rest = name;
  take_until(rest, '-');
  const size_t end = rest.find('-');
  const Encoding encoding = parse_encoding(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  while (!rest.empty()) {
    const size_t next = std::min(rest.find('-'), rest.size());
    dims.push_back(require_number<uint64_t>(rest.substr(0, next)));
    rest.remove_prefix(std::min(next + 1, rest.size()));
  }
  return {name, {Shape(std::span<const uint64_t>(dims)), encoding}};
}

std::string with_encoding(std::string text, Encoding encoding) {
  for (size_t at; (at = text.find('%')) != text.npos;) text.replace(at, 1, to_string(encoding));
  return text;
}

bool is_linked_op(std::string_view name) {
  const auto ops = op_table();
  return std::any_of(ops.begin(), ops.end(), [&](const OpRow &row) { return row.name == name && row.make; });
}

/// Whether all ops of the text are in this library.
bool can_parse(std::string_view text) {
  for (size_t at = 0; (at = text.find('(', at)) != text.npos; ++at) {
    size_t begin = at;
    while (begin > 0 && text[begin - 1] != ' ') --begin;
    if (!is_linked_op(text.substr(begin, at - begin))) return false;
  }
  return true;
}

void add(std::vector<KernelCase> &out, const std::string &text, const DeviceCaps &caps) {
  if (!can_parse(text)) return;
  KernelCase c;
  c.graph_text = "graph extract\n" + text + "\n";
  const Graph graph = parse_graph(c.graph_text, op_table());
  c.graph_text = print_graph(graph);
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::Weight) c.weights.push_back(tensor_named(v.name));
  try {
    complete(c, graph, caps);
    out.push_back(std::move(c));
  } catch (const Error &e) { // the device cannot, or every kernel is disabled
    log(LogLevel::Info, "no case for ", c.title, ": ", e.what());
  }
}

} // namespace

std::vector<KernelCase> standard_cases(const DeviceCaps &caps) {
  std::vector<KernelCase> out;
  for (const char *text : kAnyWeights)
    for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
      add(out, with_encoding(text, e), caps);
  for (const char *text : kOthers) add(out, text, caps);
  return out;
}

} // namespace fovea::check
