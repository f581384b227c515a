// What dispatches must do, by hand: bytes that are touched and arithmetic that is asked for.
#include "graph/plan_work.h"

#include "ops/registry.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

constexpr uint64_t kVocabulary = 1000, kWidth = 64, kRows = 32;

const WeightInfo *weights(const std::string &name) {
  static const std::map<std::string, WeightInfo> all = {
      {"table", {{{kVocabulary, kWidth}, Encoding::F16}, 0, 0}},
      {"w", {{{kWidth, kWidth}, Encoding::F32}, 1 << 20, 0}},
      {"g", {{{kWidth}, Encoding::F32}, 2 << 20, 0}},
      {"rows", {{{kVocabulary, 4 * kWidth}, Encoding::F32}, 3 << 20, 0}},
      {"f", {{{16}, Encoding::F32}, 5 << 20, 0}},
  };
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

std::vector<DispatchWork> work_of(const std::string &text, uint64_t n_tokens, uint32_t pos) {
  const Graph graph = parse_graph(
      "graph g\n  in tokens i32 [1, T]\n  step pos\n  state k f16 [1, 32, 64]\n" + text, op_table());
  const Bindings sizes{{"T", n_tokens}};
  const Graph *all[] = {&graph};
  const StateLayout states = StateLayout::of(all, sizes);
  const Plan plan = make_plan(graph, sizes, weights, states, DeviceCaps());
  return plan_work(graph, plan, weights, states, [&](const std::string &) { return pos; });
}

} // namespace

TEST_CASE("work: rows of a table, not the table; weights and activations each once") {
  const auto work = work_of("  x = embed(tokens, table)\n  out y = linear(x, w)\n", 3, 0);
  REQUIRE(work.size() == 2);
  CHECK(work[0].bytes == 3 * 4 + 3 * kWidth * 2 + 3 * kWidth * 4); // ids, rows, result
  CHECK(work[0].shapes == "i32:1x3 f16:1000x64 -> 1x3x64");
  CHECK(work[1].bytes == kWidth * kWidth * 4 + 2 * 3 * kWidth * 4);
  CHECK(work[1].flops == 2 * 3 * kWidth * kWidth);
  CHECK(work[1].result.shape == Shape{1, 3, kWidth});
  CHECK(work[1].sole);
  CHECK_FALSE(work[1].stores);
}

TEST_CASE("work: a cache counts as far as it is filled and written") {
  const std::string text = "  x = embed(tokens, table)\n  linear(x, w) -> k[pos]\n"
                           "  out y = attention(x, k, k) heads=2 causal=true past=pos\n";
  const auto one = work_of(text, 1, 7);
  REQUIRE(one.size() == 3);
  CHECK(one[1].stores);
  CHECK(one[1].result.encoding == Encoding::F16);
  CHECK(one[1].bytes == kWidth * kWidth * 4 + kWidth * 4 + kWidth * 2); // W, x, one row of k
  CHECK(one[2].bytes == 8 * kWidth * 2 + 2 * kWidth * 4);               // rows 0 to 7, q and y
  CHECK(one[2].flops == 4 * 8 * kWidth);
  const auto four = work_of(text, 4, 2); // queries see 3, 4, 5 and 6 keys
  CHECK(four[2].flops == 4 * (3 + 4 + 5 + 6) * kWidth);
  CHECK(four[2].bytes == 6 * kWidth * 2 + 2 * 4 * kWidth * 4);
  const auto full = work_of(text, 1, kRows - 1);
  CHECK(full[2].bytes == kRows * kWidth * 2 + 2 * kWidth * 4);
}

TEST_CASE("work: a window hides what lies before it; without a past every key counts") {
  const auto window = work_of("  x = embed(tokens, table)\n  out y = attention(x, k, k) heads=2 causal=true "
                              "past=pos window=3\n",
                              2, 9);
  CHECK(window[1].flops == 4 * (3 + 3) * kWidth); // keys 7 to 9, 8 to 10
  CHECK(window[1].bytes == 4 * kWidth * 2 + 2 * 2 * kWidth * 4);
  const auto all = work_of("  x = embed(tokens, table)\n  out y = attention(x, k, k) heads=2\n", 2, 0);
  CHECK(all[1].flops == 4 * 2 * kRows * kWidth);
}

TEST_CASE("work: the last row, some rows, the best of a row") {
  const auto last = work_of("  x = embed(tokens, table)\n  out y = rms_norm(x, g) rows=last\n", 8, 0);
  CHECK(last[1].bytes == 3 * kWidth * 4); // a row, gamma, a row
  const auto some = work_of("  x = embed(tokens, table)\n  out y = slice(x) begin=2 count=2\n", 8, 0);
  CHECK(some[1].bytes == 2 * 2 * kWidth * 4);
  const auto best = work_of("  x = embed(tokens, table)\n  out y = top_k(x) k=1\n", 8, 0);
  REQUIRE(best.size() == 3);
  CHECK_FALSE(best[2].sole);
  CHECK(best[2].bytes == 2 * 8 * 2 * 4); // the blocks' best, and the result: a pair for each row
}

TEST_CASE("work: rope_qkv touches the rows of its caches that it writes") {
  const std::string text = "  state v f16 [1, 32, 64]\n  x = embed(tokens, rows)\n"
                           "  q = rope_qkv(x, f, k, v) heads=4 kv_heads=2 at=pos\n"
                           "  out y = attention(q, k, v) heads=4 kv_heads=2 causal=true past=pos\n";
  const auto work = work_of(text, 3, 7);
  REQUIRE(work.size() == 3);
  // x, the frequencies, q, rows of k and of v
  CHECK(work[1].bytes == 3 * 256 * 4 + 16 * 4 + 3 * 128 * 4 + 2 * 3 * 64 * 2);
  CHECK(work[1].result.shape == Shape{1, 3, 128});
}
