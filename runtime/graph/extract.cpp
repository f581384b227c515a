#include "graph/extract.h"

#include <algorithm>

namespace fovea {
namespace {

/// Puts other operands and steps in place of an op's own.
class Renamer final : public FieldVisitor {
public:
  Renamer(std::function<Value(Value)> value, std::function<void(const StepName &)> step)
      : value_(std::move(value)), step_(std::move(step)) {}
  void operand(const char *, Value &v) override { v = value_(v); }
  void optional_operand(const char *, Value &v) override {
    if (v) v = value_(v);
  }
  void field(const char *, uint32_t &, std::optional<uint32_t>) override {}
  void field(const char *, float &, std::optional<float>) override {}
  void field(const char *, bool &, std::optional<bool>) override {}
  void field(const char *, StepName &v) override { step_(v); }
  void choice(const char *, uint32_t &, std::span<const char *const>) override {}

private:
  std::function<Value(Value)> value_;
  std::function<void(const StepName &)> step_;
};

class Extractor {
public:
  Extractor(const Graph &from, const std::vector<TensorType> &types, const ExtractOptions &options)
      : from_(from), types_(types), options_(options) {
    out_.graph = Graph("extract");
  }

  Extract run(std::span<const uint32_t> statements) {
    for (const uint32_t index : statements) {
      const Statement &s = from_.statements()[index];
      const bool last = index == statements.back();
      Op op = s.op;
      Renamer renamer([&](Value v) { return here(v); }, [&](const StepName &name) { declare(name); });
      op.fields(renamer);
      if (s.state) {
        declare(s.at);
        out_.graph.store(std::move(op), here(s.state), s.at);
      } else {
        const Value made = last ? out_.graph.output("y", std::move(op))
                                : out_.graph.add(concat("h", known_.size()), std::move(op));
        note(s.result, made);
      }
    }
    return std::move(out_);
  }

private:
  void note(Value there, Value made) {
    known_[there.id] = made;
    out_.origin[out_.graph.value(made).name] = from_.value(there).name;
  }

  void declare(const StepName &name) {
    const auto &steps = out_.graph.steps();
    if (name && std::find(steps.begin(), steps.end(), name.name) == steps.end()) out_.graph.step(name.name);
  }

  TensorType resized(TensorType type) const {
    if (options_.resize)
      for (int i = 0; i < type.shape.rank(); ++i)
        type.shape = type.shape.with(i, options_.resize(type.shape[i]));
    return type;
  }

  Value here(Value there) {
    const auto known = known_.find(there.id);
    if (known != known_.end()) return known->second;
    const ValueInfo &info = from_.value(there);
    const TensorType type = resized(types_[there.id]);
    const std::vector<Dim> dims(type.shape.dims().begin(), type.shape.dims().end());
    const auto name = [&](const char *kind) { return concat(kind, known_.size()); };
    Value made;
    if (info.kind == ValueKind::Weight) {
      made = out_.graph.weight(name("w"));
      out_.weights.emplace_back(out_.graph.value(made).name, type);
    } else if (info.kind == ValueKind::State) {
      made = out_.graph.state(name("s"), type.encoding, dims);
    } else {
      made = out_.graph.input(name("x"), type.encoding, dims);
    }
    note(there, made);
    if (info.kind == ValueKind::Result && type.encoding == Encoding::F32 && options_.copy)
      known_[there.id] = made =
          out_.graph.add(concat(out_.graph.value(made).name, ".copy"), options_.copy(made));
    return made;
  }

  const Graph &from_;
  const std::vector<TensorType> &types_;
  const ExtractOptions &options_;
  std::map<uint32_t, Value> known_; // by id there
  Extract out_;
};

} // namespace

Extract extract(const Graph &graph, const std::vector<TensorType> &types,
                std::span<const uint32_t> statements, const ExtractOptions &options) {
  return Extractor(graph, types, options).run(statements);
}

} // namespace fovea
