// What an op is. An op (ops/layer_norm.h …) is a plain struct of operands and fields with five members:
//
//   static constexpr const char *kName = "layer_norm";
//   void fields(FieldVisitor &v);                  names its operands and fields: printing, parsing and
//   hashing TensorType infer(const Types &t) const;        checks its operands, gives its result's type void
//   lower(Lowering &l) const;                 appends dispatches (plain data; no GPU here) void
//   reference(ReferenceCall &call) const;     the same on the CPU: scalar, double accumulation, no cleverness
//   static constexpr bool kStores = true;          optional: it may write into a state (`-> k0[pos]`)
//   void work(OpWork &work) const;                 optional: what it reads and computes, where that is less
//                                                  than its operands and its dispatches say
//
// Op holds any such struct. There is no enum of ops and no switch; the list of known ops is data (OpTable).
// Values; one thread at a time, const access from many.
#pragma once

#include "graph/host_tensor.h"

#include <memory>
#include <optional>
#include <span>

namespace fovea {

class Lowering;

/// A handle into one Graph: an input, a state, a weight or an op's result.
struct Value {
  static constexpr uint32_t kNone = 0xFFFFFFFFu;
  uint32_t id = kNone;
  explicit operator bool() const { return id != kNone; }
  friend bool operator==(Value, Value) = default;
};

/// The name of a per-submit value (`step pos` in the text); empty: the constant 0.
struct StepName {
  std::string name;
  explicit operator bool() const { return !name.empty(); }
  friend bool operator==(const StepName &, const StepName &) = default;
};

/// Sees an op's operands, then its fields, in the order in which they are written. A field equal to its
/// default is not printed.
class FieldVisitor {
public:
  virtual ~FieldVisitor() = default;
  virtual void operand(const char *name, Value &value) = 0;
  virtual void optional_operand(const char *name, Value &value) = 0;
  virtual void field(const char *name, uint32_t &value, std::optional<uint32_t> fallback) = 0;
  virtual void field(const char *name, float &value, std::optional<float> fallback) = 0;
  virtual void field(const char *name, bool &value, std::optional<bool> fallback) = 0;
  virtual void field(const char *name, StepName &value) = 0;
  /// One of `names`; value is its index. The first is the default.
  virtual void choice(const char *name, uint32_t &value, std::span<const char *const> names) = 0;
  template <class Enum> void field(const char *name, Enum &value, std::span<const char *const> names) {
    uint32_t index = uint32_t(value);
    choice(name, index, names);
    value = Enum(index);
  }
};

/// The types of a graph's values once its symbols are bound.
class Types {
public:
  virtual ~Types() = default;
  virtual const TensorType &operator[](Value value) const = 0;
  virtual std::string name(Value value) const = 0;
  virtual bool is_state(Value value) const = 0;
  const Shape &shape(Value value) const { return (*this)[value].shape; }
  Encoding encoding(Value value) const { return (*this)[value].encoding; }
  /// Error InvalidGraph naming the operand unless its encoding (and shape) are as given.
  void require(Value value, const char *operand, Encoding encoding) const;
  void require(Value value, const char *operand, Encoding encoding, const Shape &shape) const;
};

/// One call of an op on the CPU.
class ReferenceCall {
public:
  virtual ~ReferenceCall() = default;
  virtual const HostTensor &in(Value value) const = 0;
  /// The result, allocated with the inferred type, zero-filled.
  virtual HostTensor &out() = 0;
  /// A state that the op updates in place (one that Types::is_state() says is one).
  virtual HostTensor &state(Value value) = 0;
  /// The same for rows at, at + 1 … of such a state, rounded to its encoding.
  virtual void store(Value state, const HostTensor &rows, uint32_t at) = 0;
  /// The submit's value of a step; 0 for an empty name.
  virtual uint32_t step(const StepName &name) const = 0;
};

/// What an op says of the work that a submit with certain step values asks of it.
class OpWork {
public:
  virtual ~OpWork() = default;
  virtual const Shape &shape(Value value) const = 0;
  /// The submit's value of a step; 0 for an empty name.
  virtual uint32_t step(const StepName &name) const = 0;
  /// Which of the statement's dispatches is meant.
  virtual uint32_t dispatch_index() const = 0;
  /// Only this part (0 … 1) of an operand is read.
  virtual void reads(Value operand, double part) = 0;
  /// Only this part (0 … 1) of what the dispatches count as arithmetic must be done.
  virtual void computes(double part) = 0;
};

class Op {
public:
  template <class T>
  requires requires { T::kName; }
  Op(T op) : self_(std::make_unique<Model<T>>(std::move(op))) {}
  Op(const Op &other) : self_(other.self_->clone()) {}
  Op(Op &&) noexcept = default;
  Op &operator=(Op other) noexcept {
    self_ = std::move(other.self_);
    return *this;
  }

  const char *name() const { return self_->name(); }
  void fields(FieldVisitor &v) { self_->fields(v); }
  TensorType infer(const Types &t) const { return self_->infer(t); }
  void lower(Lowering &l) const { self_->lower(l); }
  void reference(ReferenceCall &call) const { self_->reference(call); }
  bool stores() const { return self_->stores(); }
  /// Whether lower() copes with operands that are deferred norms.
  bool takes_norms() const { return self_->takes_norms(); }
  void work(OpWork &work) const { self_->work(work); }

private:
  struct Concept {
    virtual ~Concept() = default;
    virtual const char *name() const = 0;
    virtual void fields(FieldVisitor &v) = 0;
    virtual TensorType infer(const Types &t) const = 0;
    virtual void lower(Lowering &l) const = 0;
    virtual void reference(ReferenceCall &call) const = 0;
    virtual bool stores() const = 0;
    virtual bool takes_norms() const = 0;
    virtual void work(OpWork &work) const = 0;
    virtual std::unique_ptr<Concept> clone() const = 0;
  };
  template <class T> struct Model final : Concept {
    explicit Model(T o) : op(std::move(o)) {}
    const char *name() const override { return T::kName; }
    void fields(FieldVisitor &v) override { op.fields(v); }
    TensorType infer(const Types &t) const override { return op.infer(t); }
    void lower(Lowering &l) const override { op.lower(l); }
    void reference(ReferenceCall &call) const override { op.reference(call); }
    bool stores() const override {
      if constexpr (requires { T::kStores; })
        return T::kStores;
      else
        return false;
    }
    bool takes_norms() const override {
      if constexpr (requires { T::kTakesNorms; })
        return T::kTakesNorms;
      else
        return false;
    }
    void work(OpWork &work) const override {
      if constexpr (requires { op.work(work); }) op.work(work);
    }
    std::unique_ptr<Concept> clone() const override { return std::make_unique<Model>(op); }
    T op;
  };
  std::unique_ptr<Concept> self_;
};

/// One row of the list of known ops.
struct OpRow {
  const char *name;
  Op (*make)(); // nullptr: left out of a library for certain models (FOVEA_KERNELS_FOR)
};
using OpTable = std::span<const OpRow>;
template <class T> constexpr OpRow op_row() {
  return {T::kName, [] { return Op(T{}); }};
}

/// The operands of an op that are present, in order.
std::vector<Value> operands(const Op &op);

} // namespace fovea
