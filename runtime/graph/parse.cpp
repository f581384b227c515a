#include "graph/graph.h"

#include <algorithm>

namespace fovea {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == ':' || c == '-' || c == '+';
}

// One line, left to right.
class Cursor {
public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  bool done() {
    skip_spaces();
    return rest_.empty();
  }
  /// The next name, number or keyword; empty when something else comes.
  std::string word() {
    skip_spaces();
    size_t n = 0;
    while (n < rest_.size() && is_name_char(rest_[n]) && !rest_.substr(n).starts_with("->")) ++n;
    const std::string out(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return out;
  }
  std::string expect_word(const char *what) {
    std::string w = word();
    if (w.empty()) fail(ErrorCode::InvalidGraph, "expected ", what, found());
    return w;
  }
  bool take(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail(ErrorCode::InvalidGraph, "expected '", token, "'", found());
  }
  void expect_end() {
    if (!done()) fail(ErrorCode::InvalidGraph, "expected the end of the line", found());
  }

private:
  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
    if (!rest_.empty() && rest_[0] == '#') rest_ = {};
  }
  std::string found() const {
    return rest_.empty() ? ", found the end" : concat(", found '", rest_.substr(0, 20), "'");
  }
  std::string_view rest_;
};

template <class T> T number(const std::string &text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail(ErrorCode::InvalidGraph, "'", text, "' is not a valid number here");
  return value;
}

// Fills an op from its written operands and fields.
class Filler final : public FieldVisitor {
public:
  Filler(Graph &graph, const char *op, std::vector<std::string> operands,
         std::map<std::string, std::string> fields)
      : graph_(graph), op_(op), operands_(std::move(operands)), fields_(std::move(fields)) {}

  void operand(const char *name, Value &v) override {
    optional_operand(name, v);
    if (!v) fail(ErrorCode::InvalidGraph, op_, ": operand '", name, "' is missing");
  }
  void optional_operand(const char *, Value &v) override {
    if (next_ == operands_.size()) return;
    const std::string &name = operands_[next_++];
    if (name == "_") return;
    v = graph_.find(name);
    if (!v) v = graph_.weight(name); // resolved against the file when types are inferred
  }
  void field(const char *name, uint32_t &v, std::optional<uint32_t> d) override {
    parse(name, v, d, number<uint32_t>);
  }
  void field(const char *name, float &v, std::optional<float> d) override {
    parse(name, v, d, number<float>);
  }
  void field(const char *name, bool &v, std::optional<bool> d) override {
    parse(name, v, d, [](const std::string &text) {
      if (text != "true" && text != "false")
        fail(ErrorCode::InvalidGraph, "'", text, "' is not true or false");
      return text == "true";
    });
  }
  void field(const char *name, StepName &v) override {
    if (const auto text = take(name)) {
      graph_.step_slot(*text);
      v.name = *text;
    }
  }
  void choice(const char *name, uint32_t &v, std::span<const char *const> names) override {
    const auto text = take(name);
    if (!text) return;
    const auto it = std::find(names.begin(), names.end(), *text);
    if (it == names.end()) fail(ErrorCode::InvalidGraph, op_, ": ", name, " cannot be '", *text, "'");
    v = uint32_t(it - names.begin());
  }
  void finish() const {
    if (next_ != operands_.size())
      fail(ErrorCode::InvalidGraph, op_, ": ", operands_.size(), " operands given, it takes ", next_);
    if (!fields_.empty()) fail(ErrorCode::InvalidGraph, op_, " has no field '", fields_.begin()->first, "'");
  }

private:
  std::optional<std::string> take(const char *name) {
    const auto it = fields_.find(name);
    if (it == fields_.end()) return {};
    std::string text = it->second;
    fields_.erase(it);
    return text;
  }
  template <class T, class Parse>
  void parse(const char *name, T &v, const std::optional<T> &fallback, Parse &&parse) {
    if (const auto text = take(name))
      v = parse(*text);
    else if (fallback)
      v = *fallback;
    else
      fail(ErrorCode::InvalidGraph, op_, ": field '", name, "' is missing");
  }

  Graph &graph_;
  const char *op_;
  std::vector<std::string> operands_;
  std::map<std::string, std::string> fields_;
  size_t next_ = 0;
};

Op parse_call(Cursor &in, Graph &graph, OpTable ops, const std::string &name) {
  const auto row = std::find_if(ops.begin(), ops.end(), [&](const OpRow &r) { return name == r.name; });
  if (row == ops.end()) fail(ErrorCode::InvalidGraph, "unknown op '", name, "'; a newer Fovea may know it");
  if (!row->make)
    fail(ErrorCode::Unsupported, "op ", name,
         " is not in this library, which was built for certain models only; build it with this model among "
         "those "
         "of FOVEA_KERNELS_FOR, or without that option");
  std::vector<std::string> operands;
  std::map<std::string, std::string> fields;
  in.expect("(");
  if (!in.take(")")) {
    do operands.push_back(in.expect_word("an operand"));
    while (in.take(","));
    in.expect(")");
  }
  for (std::string field = in.word(); !field.empty(); field = in.word()) {
    in.expect("=");
    if (!fields.emplace(field, in.expect_word("a value")).second)
      fail(ErrorCode::InvalidGraph, name, ": field '", field, "' is given twice");
  }
  Op op = row->make();
  Filler filler(graph, row->name, std::move(operands), std::move(fields));
  op.fields(filler);
  filler.finish();
  return op;
}

void parse_declaration(Cursor &in, Graph &graph, bool is_state) {
  const std::string name = in.expect_word("a name");
  const Encoding encoding = parse_encoding(in.expect_word("an encoding"));
  std::vector<Dim> dims;
  in.expect("[");
  if (!in.take("]")) {
    do {
      const std::string dim = in.expect_word("a dimension");
      if (dim[0] >= '0' && dim[0] <= '9')
        dims.emplace_back(number<uint64_t>(dim));
      else
        dims.emplace_back(dim);
    } while (in.take(","));
    in.expect("]");
  }
  if (is_state) {
    graph.state(name, encoding, std::move(dims));
    return;
  }
  std::optional<int32_t> fallback;
  if (in.take("=")) fallback = number<int32_t>(in.expect_word("a number"));
  graph.input(name, encoding, std::move(dims), fallback);
}

void parse_line(Cursor &in, Graph &graph, OpTable ops) {
  std::string first = in.expect_word("a statement");
  const bool is_offered = first == "offer", is_output = first == "out" || is_offered;
  if (is_output) first = in.expect_word("a name");
  if (first == "in" || first == "state") {
    parse_declaration(in, graph, first == "state");
  } else if (first == "step") {
    graph.step(in.expect_word("a name"));
  } else if (in.take("=")) {
    const std::string op_name = in.expect_word("an op");
    Op op = parse_call(in, graph, ops, op_name);
    if (graph.find(first))
      fail(ErrorCode::InvalidGraph, "'", first, "' is defined twice, or used before its definition");
    is_offered  ? graph.offer(first, std::move(op))
    : is_output ? graph.output(first, std::move(op))
                : graph.add(first, std::move(op));
  } else {
    Op op = parse_call(in, graph, ops, first);
    in.expect("->");
    const Value state = graph.find(in.expect_word("a state"));
    StepName at;
    if (in.take("[")) {
      at.name = in.expect_word("a step");
      in.expect("]");
    }
    graph.store(std::move(op), state, at);
  }
  in.expect_end();
}

} // namespace

Graph parse_graph(std::string_view text, OpTable ops) {
  Graph graph;
  bool named = false;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    Cursor in(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    try {
      if (in.done()) continue;
      if (named) {
        parse_line(in, graph, ops);
      } else {
        if (in.word() != "graph") fail(ErrorCode::InvalidGraph, "expected 'graph NAME'");
        graph = Graph(in.expect_word("a name"));
        in.expect_end();
        named = true;
      }
    } catch (const Error &e) {
      const bool left_out = e.code() == ErrorCode::Unsupported; // an op
      fail(left_out ? e.code() : ErrorCode::InvalidGraph, "graph '", graph.name(), "' line ", line, ": ",
           e.what());
    }
  }
  if (!named) fail(ErrorCode::InvalidGraph, "the graph text is empty");
  return graph;
}

} // namespace fovea
