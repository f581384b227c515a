#include "graph/graph.h"

namespace fovea {
namespace {

class Printer final : public FieldVisitor {
public:
  explicit Printer(const Graph &graph) : graph_(graph) {}
  std::string text(const Op &op) {
    Op copy = op;
    copy.fields(*this);
    return concat(op.name(), "(", operands_, ")", fields_);
  }

  void operand(const char *, Value &v) override { append_operand(graph_.value(v).name); }
  void optional_operand(const char *, Value &v) override {
    if (v)
      append_operand(graph_.value(v).name);
    else
      ++absent_;
  }
  void field(const char *name, uint32_t &v, std::optional<uint32_t> d) override { print(name, v, d); }
  void field(const char *name, float &v, std::optional<float> d) override { print(name, v, d); }
  void field(const char *name, bool &v, std::optional<bool> d) override { print(name, v, d); }
  void field(const char *name, StepName &v) override {
    if (v) fields_ += concat(" ", name, "=", v.name);
  }
  void choice(const char *name, uint32_t &v, std::span<const char *const> names) override {
    if (v != 0) fields_ += concat(" ", name, "=", names[v]);
  }

private:
  // Absent operands are written "_" only when a present one follows.
  void append_operand(const std::string &name) {
    for (; absent_ > 0; --absent_) operands_ += operands_.empty() ? "_" : ", _";
    operands_ += concat(operands_.empty() ? "" : ", ", name);
  }
  template <class T> void print(const char *name, const T &value, const std::optional<T> &fallback) {
    if (!fallback || value != *fallback) fields_ += concat(" ", name, "=", value);
  }

  const Graph &graph_;
  std::string operands_, fields_;
  int absent_ = 0;
};

std::string declaration(const char *keyword, const ValueInfo &v) {
  std::string dims;
  for (const Dim &d : v.dims)
    dims += concat(dims.empty() ? "" : ", ", d.symbol.empty() ? concat(d.value) : d.symbol);
  return concat("  ", keyword, v.name, " ", v.encoding, " [", dims, "]",
                v.fallback ? concat(" = ", *v.fallback) : "", "\n");
}

} // namespace

std::string print_graph(const Graph &graph) {
  std::string text = concat("graph ", graph.name(), "\n");
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::Input) text += declaration("in ", v);
  for (const std::string &step : graph.steps()) text += concat("  step ", step, "\n");
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::State) text += declaration("state ", v);
  for (const Statement &s : graph.statements()) {
    const std::string call = Printer(graph).text(s.op);
    if (s.state)
      text += concat("  ", call, " -> ", graph.value(s.state).name, s.at ? concat("[", s.at.name, "]") : "",
                     "\n");
    else
      text += concat("  ",
                     s.is_offered  ? "offer "
                     : s.is_output ? "out "
                                   : "",
                     graph.value(s.result).name, " = ", call, "\n");
  }
  return text;
}

} // namespace fovea
