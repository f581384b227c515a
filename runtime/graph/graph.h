// Graph: append-only SSA over ops, plain data, no GPU. Built by an architecture in the converter, printed
// into the file, parsed back by the runtime (docs/graph.md has the grammar); print(parse(text)) is the
// identity on printed text. One thread while it is built; const access from many. Errors: InvalidGraph for a
// duplicate or malformed name, an op that stores but must not, an unknown step.
#pragma once

#include "graph/op.h"

#include <functional>
#include <map>
#include <unordered_map>

namespace fovea {

/// A dimension: a number, or a symbol bound when a plan is made.
struct Dim {
  uint64_t value = 0;
  std::string symbol;
  Dim(uint64_t v) : value(v) {}
  Dim(int v) : value(uint64_t(v)) {}
  Dim(uint32_t v) : value(v) {}
  Dim(std::string s) : symbol(std::move(s)) {}
  Dim(const char *s) : symbol(s) {}
  friend bool operator==(const Dim &, const Dim &) = default;
};

/// Sizes of symbols, by name.
using Bindings = std::map<std::string, uint64_t>;

enum class ValueKind : uint8_t { Input, State, Weight, Result };

struct ValueInfo {
  ValueKind kind;
  std::string name;
  Encoding encoding = Encoding::F32; // inputs and states
  std::vector<Dim> dims;             // inputs and states
  std::optional<int32_t> fallback{}; // inputs: what every element is when nothing is given
};

struct Statement {
  Op op;
  Value result;            // none when the op writes into a state
  Value state;             // destination, or none
  StepName at;             // first row written in the state; empty: row 0
  bool is_output = false;  // `out NAME = …` or `offer NAME = …`
  bool is_offered = false; // `offer NAME = …`: computed only when asked for by name
};

class Graph {
public:
  Graph() = default;
  explicit Graph(std::string name) : name_(std::move(name)) {}

  /// With a `fallback` the input may be left out: every element is then that number.
  Value input(const std::string &name, Encoding encoding, std::vector<Dim> dims,
              std::optional<int32_t> fallback = {});
  /// A tensor that persists in the Session, shared by name among the graphs of a file.
  Value state(const std::string &name, Encoding encoding, std::vector<Dim> dims);
  /// Another encoding for a state.
  void set_encoding(Value state, Encoding encoding) { values_[state.id].encoding = encoding; }
  /// Declares a value that changes from submit to submit.
  StepName step(const std::string &name);
  /// A tensor of the file; asking twice gives the same Value.
  Value weight(const std::string &name);
  /// Appends `name = op`; a name already taken gets ".2", ".3" … appended.
  Value add(const std::string &name, Op op);
  /// Appends `out name = op`: a result that the caller may read.
  Value output(const std::string &name, Op op);
  /// Appends `offer name = op`: a result that the caller may read when it asks for it by name; nothing is
  /// paid for it otherwise.
  Value offer(const std::string &name, Op op);
  /// Appends `op -> state[at]`: rows at, at + 1 … of the state are overwritten (of every batch, when it is
  /// rank 3).
  void store(Op op, Value state, StepName at = {});

  const std::string &name() const { return name_; }
  const std::vector<ValueInfo> &values() const { return values_; }
  const ValueInfo &value(Value v) const { return values_[v.id]; }
  const std::vector<std::string> &steps() const { return steps_; }
  const std::vector<Statement> &statements() const { return statements_; }
  /// Slot of a step in StepParams: its position among the declarations. Error InvalidGraph when undeclared.
  uint32_t step_slot(const std::string &name) const;
  Value find(const std::string &name) const;

private:
  Value append(ValueInfo info);
  void check_operands(const Op &op) const;
  std::string name_;
  std::vector<ValueInfo> values_;
  std::unordered_map<std::string, uint32_t> by_name_;
  std::unordered_map<std::string, uint32_t> last_number_; // of names given more than once
  std::vector<std::string> steps_;
  std::vector<Statement> statements_;
};

/// Most step values a graph may declare: what StepParams holds.
inline constexpr size_t kMaxSteps = 32;

/// The names of a graph's outputs, in order: those that every run gives, or those offered on request.
std::vector<std::string> output_names(const Graph &graph, bool offered = false);

/// The graph as text; the format that parse_graph reads.
std::string print_graph(const Graph &graph);
/// Error InvalidGraph with graph name, line and what is wrong. The text is untrusted.
Graph parse_graph(std::string_view text, OpTable ops);

/// The bound shape of a declared input or state. Error InvalidGraph when a symbol is unbound or a size is
/// absurd.
Shape bind(const ValueInfo &value, const Bindings &bindings);
/// Adds to `bindings` what the shape of a given tensor says about the declaration's symbols. A leading
/// dimension of 1 that the declaration lacks is dropped, one that the shape lacks is supplied. Error
/// InvalidArgument on a mismatch.
void bind_symbols(const ValueInfo &value, const Shape &given, Bindings &bindings);

/// Types of a file's tensors by name; nullptr when there is none.
using WeightTypes = std::function<const TensorType *(const std::string &name)>;
/// The type of every value, by id. Error InvalidGraph that names the graph and the statement.
std::vector<TensorType> infer_types(const Graph &graph, const Bindings &bindings, const WeightTypes &weights);
/// The type of one statement's result before it is stored, given the types of all values.
TensorType infer_statement(const Graph &graph, const std::vector<TensorType> &types,
                           const Statement &statement);

} // namespace fovea
