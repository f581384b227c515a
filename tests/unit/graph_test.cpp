#include "graph/plan.h"
#include "kernels/catalogue.h"
#include "ops/layer_norm.h"
#include "ops/registry.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

constexpr const char *kText = "graph norms\n"
                              "  in x f32 [T, 8]\n"
                              "  step pos\n"
                              "  state k0 f16 [16, 8]\n"
                              "  h = layer_norm(x, ln.g, ln.b)\n"
                              "  out y = layer_norm(h, ln.g, ln.b) eps=0.001\n"
                              "  out last = layer_norm(h, ln.g, ln.b) rows=last\n";

const WeightInfo *weights(const std::string &name) {
  static const WeightInfo gamma{{{8}, Encoding::F32}, 0, 0}, beta{{{8}, Encoding::F32}, 256, 0};
  return name == "ln.g" ? &gamma : name == "ln.b" ? &beta : nullptr;
}

std::string parse_error(const std::string &text) {
  try {
    parse_graph(text, op_table());
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::InvalidGraph);
    return e.what();
  }
  return "";
}

} // namespace

TEST_CASE("graph: every op is listed once, in order") {
  const OpTable ops = op_table();
  for (size_t i = 1; i < ops.size(); ++i)
    CHECK_MESSAGE(std::string_view(ops[i - 1].name) < ops[i].name, ops[i - 1].name, " before ", ops[i].name);
}

TEST_CASE("graph text: print(parse(text)) is the identity") {
  CHECK(print_graph(parse_graph(kText, op_table())) == kText);
  Graph g("a");
  const Value x = g.input("x", Encoding::F32, {"T", 8});
  const Value h = g.add("h", LayerNorm{x, g.weight("ln.g"), g.weight("ln.b"), 0.1f, Rows::All});
  g.add("h", LayerNorm{h, g.weight("ln.g"), g.weight("ln.b"), 1e-5f, Rows::All});
  const std::string text = print_graph(g);
  CHECK(text.find("h.2 = layer_norm(h, ln.g, ln.b)\n") != std::string::npos);
  CHECK(text.find("eps=0.1\n") != std::string::npos);
  CHECK(print_graph(parse_graph(text, op_table())) == text);
}

TEST_CASE("graph: a name given again gets the next number that is free") {
  Graph g("a");
  const Value x = g.input("x", Encoding::F32, {"T", 8});
  const auto name_of_next = [&](const char *name) {
    return g.value(g.add(name, LayerNorm{x, g.weight("ln.g"), g.weight("ln.b"), 0.1f, Rows::All})).name;
  };
  CHECK(name_of_next("h.3") == "h.3");
  for (const char *expected : {"h", "h.2", "h.4", "h.5"}) CHECK(name_of_next("h") == expected);
  CHECK(name_of_next("h.3") == "h.3.2");
}

TEST_CASE("graph text: an input that may be left out") {
  constexpr const char *text = "graph g\n  in x f32 [T, 8]\n  in mask i32 [T] = 1\n  in shift i32 [T] = -3\n"
                               "  out y = layer_norm(x, ln.g, ln.b)\n";
  const Graph g = parse_graph(text, op_table());
  CHECK(g.value(g.find("mask")).fallback == 1);
  CHECK(g.value(g.find("shift")).fallback == -3);
  CHECK_FALSE(g.value(g.find("x")).fallback);
  CHECK(print_graph(g) == text);
  CHECK(parse_error("graph g\n in x f32 [T] =\n") == "graph 'g' line 2: expected a number, found the end");
  CHECK(parse_error("graph g\n in x f32 [T] = one\n") ==
        "graph 'g' line 2: 'one' is not a valid number here");
  CHECK(parse_error("graph g\n state x f32 [4] = 1\n") ==
        "graph 'g' line 2: expected the end of the line, found '= 1'");
}

TEST_CASE("graph text: errors name graph, line and fault") {
  CHECK(parse_error("") == "the graph text is empty");
  CHECK(parse_error("graph g\n x = nop(y)\n") ==
        "graph 'g' line 2: unknown op 'nop'; a newer Fovea may know it");
  CHECK(parse_error("graph g\n in x f32 [T]\n in x f32 [T]\n") == "graph 'g' line 3: 'x' is defined twice");
  CHECK(parse_error("graph g\n x = layer_norm(a, b)\n") ==
        "graph 'g' line 2: layer_norm: operand 'beta' is missing");
  CHECK(parse_error("graph g\n x = layer_norm(a, b, c) eps=abc\n") ==
        "graph 'g' line 2: 'abc' is not a valid number here");
  CHECK(parse_error("graph g\n x = layer_norm(a, b, c) speed=1\n") ==
        "graph 'g' line 2: layer_norm has no field 'speed'");
  CHECK(parse_error("graph g\n x = layer_norm(x, b, c)\n") ==
        "graph 'g' line 2: 'x' is defined twice, or used before its definition");
  CHECK(parse_error("graph g\n in x q4 [32]\n") == "graph 'g' line 2: input 'x' cannot be q4");
  CHECK(parse_error("graph g\n state s f32 [2, 8]\n layer_norm(a, b, c) -> s\n") ==
        "graph 'g' line 3: layer_norm cannot write into a state");
}

TEST_CASE("graph: any prefix of a text parses or gives an Error") {
  const std::string text = kText;
  for (size_t n = 0; n <= text.size(); ++n) {
    try {
      parse_graph(text.substr(0, n), op_table());
    } catch (const Error &) {}
  }
}

TEST_CASE("plan: types, unneeded statements, arena and barriers") {
  const Graph g = parse_graph(kText, op_table());
  const StateLayout states = StateLayout::of(std::array{&g}, {});
  CHECK(states.bytes == 256);
  const Plan all = make_plan(g, {{"T", 100}}, weights, states, DeviceCaps{});
  REQUIRE(all.dispatches.size() == 3);
  CHECK(!all.dispatches[0].barrier_before);
  CHECK(all.dispatches[1].barrier_before);  // reads h
  CHECK(!all.dispatches[2].barrier_before); // reads h too, writes elsewhere
  CHECK(all.scratch_bytes == 2 * 3328 + 256);
  CHECK(all.outputs.size() == 2);

  const Plan last = make_plan(g, {{"T", 100}}, weights, states, DeviceCaps{}, {{"last"}});
  CHECK(last.dispatches.size() == 2);
  CHECK(last.outputs.at(0).type.shape == Shape{1, 8});
  CHECK_THROWS_WITH_AS(make_plan(g, {{"T", 9}}, weights, states, DeviceCaps{}, {{"nothing"}}),
                       "graph 'norms' has no output 'nothing'", Error);
  CHECK_THROWS_WITH_AS(make_plan(g, {}, weights, states, DeviceCaps{}),
                       "graph 'norms', inputs: 'x': size T is not known", Error);
}

TEST_CASE("plan: dump is stable") {
  const Graph g =
      parse_graph("graph one\n  in x f32 [3, 8]\n  out y = layer_norm(x, ln.g, ln.b)\n", op_table());
  CHECK(dump_plan(make_plan(g, {}, weights, {}, DeviceCaps{})) ==
        "plan one: 1 dispatches, scratch 256, state 0, input 256 bytes\n"
        "  layer_norm 3x1x1  0:input+0:96  1:weights+0:32  2:weights+256:32  3:>scratch+0:96  # layer_norm = "
        "y\n");
}

TEST_CASE("symbols are bound by the shapes given") {
  Graph g("g");
  const ValueInfo info{ValueKind::Input, "x", Encoding::F32, {"T", 8}};
  Bindings b;
  bind_symbols(info, {1, 5, 8}, b);
  CHECK(b.at("T") == 5);
  CHECK_THROWS_WITH_AS(bind_symbols(info, {6, 8}, b), "input 'x' has shape [6, 8], the graph wants [T=5, 8]",
                       Error);
}

TEST_CASE("offers: printed, parsed, and planned only when asked for by name") {
  const std::string text = "graph g\n  in x f32 [T, 8]\n  offer h = layer_norm(x, ln.g, ln.b)\n"
                           "  out y = layer_norm(x, ln.g, ln.b) eps=0.001\n";
  const Graph g = parse_graph(text, op_table());
  CHECK(print_graph(g) == text);
  CHECK(output_names(g) == std::vector<std::string>{"y"});
  CHECK(output_names(g, true) == std::vector<std::string>{"h"});
  const Plan plain = make_plan(g, {{"T", 3}}, weights, {}, DeviceCaps{});
  CHECK(plain.dispatches.size() == 1);
  REQUIRE(plain.outputs.size() == 1);
  CHECK(plain.outputs[0].name == "y");
  const Plan asked = make_plan(g, {{"T", 3}}, weights, {}, DeviceCaps{}, {{"h", "y"}});
  CHECK(asked.dispatches.size() == 2);
  CHECK(asked.outputs.size() == 2);
}

TEST_CASE("views: flatten costs nothing inside a graph, and its source lives as long as it does") {
  const Graph g =
      parse_graph("graph g\n  in x f32 [2, 3, 4, 8]\n  a = layer_norm(x, ln.g, ln.b)\n  f = flatten(a)\n"
                  "  b = layer_norm(x, ln.g, ln.b) eps=0.1\n  out y = layer_norm(f, ln.g, ln.b)\n"
                  "  out z = layer_norm(b, ln.g, ln.b)\n",
                  op_table());
  const Plan plan = make_plan(g, {}, weights, {}, DeviceCaps{});
  REQUIRE(plan.dispatches.size() == 4);
  CHECK(plan.dispatches[2].bindings[0].offset == plan.dispatches[0].bindings[3].offset);
  CHECK(plan.dispatches[1].bindings[3].offset != plan.dispatches[0].bindings[3].offset);
  CHECK(plan.outputs[0].type.shape == Shape{2, 12, 8});
  const Graph copied = parse_graph("graph g\n  in x f32 [2, 3, 4, 8]\n  out f = flatten(x)\n", op_table());
  CHECK(make_plan(copied, {}, weights, {}, DeviceCaps{}).dispatches.size() == 1);
}

TEST_CASE("plan: two ranges behind one binding, and no hazard with what lies between them") {
  const auto plan = [](const char *text) {
    return make_plan(parse_graph(text, op_table()), {}, weights, {}, DeviceCaps{});
  };
  const Plan p =
      plan("graph g\n  in q f32 [4, 8]\n  in k f32 [4, 8]\n  in gap f32 [64, 8]\n  in v f32 [4, 8]\n"
           "  in m i32 [4]\n  out y = attention(q, k, v, m) heads=1\n");
  REQUIRE(p.dispatches.size() == 1);
  const Dispatch &d = p.dispatches[0];
  REQUIRE(d.bindings.size() == 4);
  CHECK(d.touched.size() == 5);
  CHECK(d.bindings[1].offset == 256);
  CHECK(d.bindings[1].bytes == 256 + 2048 + 128);
  AttentionParams params;
  std::memcpy(&params, d.push.data(), sizeof params);
  CHECK(params.k_offset == 0);
  CHECK(params.v_offset == (256 + 2048) / 4);
  CHECK_THROWS_WITH_AS(plan("graph g\n  in q f32 [4, 8]\n  in m i32 [4]\n  k = layer_norm(q, ln.g, ln.b)\n"
                            "  out y = attention(q, k, q, m) heads=1\n"),
                       doctest::Contains("share a binding"), Error);
}
