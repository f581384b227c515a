#include "converter/sources/pickle.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kMaxTextBytes = 1 << 16;
constexpr size_t kMaxKeyBytes = 64;
constexpr size_t kMaxDims = 8; // ranks above four get an error that names the tensor

enum class Callable { OrderedDict, Size, TensorV1, TensorV2, Parameter, StorageType };
struct Global {
  const char *module, *name;
  Callable callable;
  SourceType type = SourceType::F32;
};
constexpr Global kGlobals[] = {
    {"collections", "OrderedDict", Callable::OrderedDict},
    {"torch", "Size", Callable::Size},
    {"torch._utils", "_rebuild_tensor", Callable::TensorV1},
    {"torch._utils", "_rebuild_tensor_v2", Callable::TensorV2},
    {"torch._utils", "_rebuild_parameter", Callable::Parameter},
    {"torch", "FloatStorage", Callable::StorageType, SourceType::F32},
    {"torch", "HalfStorage", Callable::StorageType, SourceType::F16},
    {"torch", "BFloat16Storage", Callable::StorageType, SourceType::BF16},
    {"torch", "DoubleStorage", Callable::StorageType, SourceType::F64},
    {"torch", "LongStorage", Callable::StorageType, SourceType::I64},
    {"torch", "IntStorage", Callable::StorageType, SourceType::I32},
    {"torch", "ShortStorage", Callable::StorageType, SourceType::I16},
    {"torch", "CharStorage", Callable::StorageType, SourceType::I8},
    {"torch", "ByteStorage", Callable::StorageType, SourceType::U8},
    {"torch", "BoolStorage", Callable::StorageType, SourceType::Bool},
};

} // namespace

template <class... Parts> void Pickle::bad(const Parts &...parts) const {
  fail(ErrorCode::InvalidFile, in_.file().path(), ": bad pickle at byte ", at_, ": ", parts...);
}

/// Before anything is allocated: what the values take in all.
void Pickle::charge(uint64_t n_bytes) {
  used_bytes_ += n_bytes;
  if (used_bytes_ > kPickleMemoryBytes)
    fail(ErrorCode::Unsupported, in_.file().path(), ": the pickle's values take more than ",
         kPickleMemoryBytes >> 20, " MiB; save the model's state_dict alone, or as safetensors");
}

void Pickle::push(Value value) {
  if (stack_.size() == stack_.capacity()) charge(std::max<size_t>(64, stack_.size()) * sizeof(Value));
  stack_.push_back(value);
}

Pickle::Value Pickle::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) bad("nothing on the stack");
  const Value out = stack_.back();
  stack_.pop_back();
  return out;
}

Pickle::Value &Pickle::top() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) bad("nothing on the stack");
  return stack_.back();
}

const Pickle::Value &Pickle::kind(const Value &value, Kind expected, std::string_view what) const {
  if (value.kind != expected) bad(what, " is of another kind");
  return value;
}

std::vector<Pickle::Value> Pickle::pop_to_mark() {
  if (marks_.empty()) bad("no mark on the stack");
  const auto begin = stack_.begin() + std::ptrdiff_t(marks_.back());
  std::vector<Value> out(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return out;
}

Pickle::Value Pickle::container(Kind kind, std::vector<Value> items) {
  charge(2 * sizeof items + items.size() * sizeof(Value));
  containers_.push_back(std::move(items));
  return {kind, uint32_t(containers_.size() - 1), 0};
}

void Pickle::extend(const Value &target, Kind expected, const std::vector<Value> &items) {
  std::vector<Value> &into = containers_[kind(target, expected, "what is added to").index];
  if (expected == Kind::Dict && items.size() % 2 != 0) bad("a key without a value");
  charge(2 * items.size() * sizeof(Value)); // the vector grows by doubling
  into.insert(into.end(), items.begin(), items.end());
}

Pickle::Value Pickle::text(uint64_t n_bytes, Kind kind) {
  if (n_bytes > kMaxTextBytes) bad("a text of ", n_bytes, " bytes, at most ", kMaxTextBytes, " expected");
  charge(n_bytes + 2 * sizeof(std::string));
  texts_.push_back(in_.text(n_bytes, "text"));
  return {kind, uint32_t(texts_.size() - 1), 0};
}

/// LONG1, LONG4: two's complement of any length.
Pickle::Value Pickle::integer_of(uint64_t n_bytes) {
  if (n_bytes > 8) return text(n_bytes, Kind::Long);
  int64_t value = 0;
  in_.read(std::as_writable_bytes(std::span(&value, 1)).first(n_bytes), "integer");
  if (n_bytes > 0 && n_bytes < 8) {
    const unsigned unused = unsigned(64 - 8 * n_bytes);
    value = int64_t(uint64_t(value) << unused) >> unused;
  }
  return {Kind::Int, 0, value};
}

void Pickle::remember(uint64_t slot) {
  const Value value = top();
  if (slot >= memo_.size()) {
    if (slot > kPickleMemoryBytes) bad("memo slot ", slot);
    if (slot >= memo_.capacity()) {
      const size_t capacity = std::max<size_t>(slot + 1, 2 * memo_.capacity());
      charge(capacity * sizeof(Value));
      memo_.reserve(capacity);
    }
    memo_.resize(slot + 1);
  }
  memo_[slot] = value;
}

void Pickle::recall(uint64_t slot) {
  if (slot >= memo_.size()) bad("memo slot ", slot, " is empty");
  push(memo_[slot]);
}

std::string Pickle::line() {
  std::string out;
  for (char c; (c = in_.read<char>("name")) != '\n';) {
    if (out.size() == 255) bad("a name of more than 255 characters");
    out += c;
  }
  return out;
}

Pickle::Value Pickle::global(std::string_view module, std::string_view name) const {
  for (size_t i = 0; i < std::size(kGlobals); ++i)
    if (module == kGlobals[i].module && name == kGlobals[i].name) return {Kind::Global, 0, int64_t(i)};
  fail(ErrorCode::Unsupported, in_.file().path(), ": the pickle at byte ", at_, " refers to '",
       printable(module), ".", printable(name),
       "', which is not run; save the model's state_dict alone, or as safetensors");
}

uint64_t Pickle::size(const Value &value, std::string_view what) const {
  if (kind(value, Kind::Int, what).number < 0) bad(what, " is ", value.number);
  return uint64_t(value.number);
}

std::vector<uint64_t> Pickle::sizes(const Value &tuple, std::string_view what) const {
  const std::vector<Value> &items = containers_[kind(tuple, Kind::Tuple, what).index];
  if (items.size() > kMaxDims)
    fail(ErrorCode::Unsupported, in_.file().path(), ": a tensor of ", items.size(), " dimensions, at most ",
         kMaxRank, " are supported");
  std::vector<uint64_t> out;
  for (const Value &item : items) out.push_back(size(item, what));
  return out;
}

/// ("storage", torch.FloatStorage, key, location, elements); the older format adds a view, which has been
/// None since tensors share storages instead.
Pickle::Value Pickle::storage(const Value &id) {
  const std::vector<Value> &items = containers_[kind(id, Kind::Tuple, "a persistent id").index];
  if (items.size() != 5 && items.size() != 6) bad("a persistent id of ", items.size(), " parts");
  if (texts_[kind(items[0], Kind::Text, "a persistent id's kind").index] != "storage")
    bad("a persistent id that is no storage");
  const Global &type = kGlobals[kind(items[1], Kind::Global, "a storage's type").number];
  if (type.callable != Callable::StorageType) bad("'", type.name, "' is no storage type");
  if (items.size() == 6) kind(items[5], Kind::None, "a storage's view");
  PickledStorage out{texts_[kind(items[2], Kind::Text, "a storage's key").index], type.type,
                     size(items[4], "a storage's size")};
  if (out.key.size() > kMaxKeyBytes) bad("a storage's key is longer than ", kMaxKeyBytes, " bytes");
  if (const auto found = storage_index_.find(out.key); found != storage_index_.end()) {
    const PickledStorage &before = storages_[found->second];
    if (before.type != out.type || before.elements != out.elements)
      bad("storage '", printable(out.key), "' is ", before.elements, " ", before.type, " and ", out.elements,
          " ", out.type);
    return {Kind::Storage, found->second, 0};
  }
  charge(2 * sizeof out + 3 * out.key.size() + 96);
  storage_index_.emplace(out.key, uint32_t(storages_.size()));
  storages_.push_back(std::move(out));
  return {Kind::Storage, uint32_t(storages_.size() - 1), 0};
}

/// (storage, offset, size, stride, …): the rest concerns training.
Pickle::Value Pickle::tensor(const std::vector<Value> &arguments) {
  if (arguments.size() < 4) bad("a tensor of ", arguments.size(), " arguments");
  charge(2 * sizeof(PickledTensor) + 4 * kMaxDims * sizeof(uint64_t));
  PickledTensor out;
  out.storage = kind(arguments[0], Kind::Storage, "a tensor's storage").index;
  out.offset = size(arguments[1], "a tensor's offset");
  out.shape = sizes(arguments[2], "a tensor's size");
  out.strides = sizes(arguments[3], "a tensor's stride");
  if (out.shape.size() != out.strides.size())
    bad("a tensor with ", out.shape.size(), " sizes and ", out.strides.size(), " strides");
  tensors_.push_back(std::move(out));
  return {Kind::Tensor, uint32_t(tensors_.size() - 1), 0};
}

Pickle::Value Pickle::reduce(const Value &callable, const Value &arguments) {
  const Global &f = kGlobals[kind(callable, Kind::Global, "what is called").number];
  const uint32_t index = kind(arguments, Kind::Tuple, "arguments").index;
  if (containers_[index].size() > 16) bad(containers_[index].size(), " arguments");
  const std::vector<Value> items = containers_[index]; // a copy: new containers move it
  switch (f.callable) {
  case Callable::OrderedDict: {
    const Value out = container(Kind::Dict, {});
    if (items.empty()) return out;
    for (const Value &pair :
         containers_[kind(items[0], Kind::List, "OrderedDict's items").index]) { // Python 2
      if (pair.kind != Kind::Tuple && pair.kind != Kind::List) bad("OrderedDict's items are no pairs");
      const std::vector<Value> &entry = containers_[pair.index];
      if (entry.size() != 2) bad("OrderedDict's items are no pairs");
      extend(out, Kind::Dict, {entry[0], entry[1]});
    }
    return out;
  }
  case Callable::Size:
    if (items.size() != 1) bad("torch.Size of ", items.size(), " arguments");
    return kind(items[0], Kind::Tuple, "torch.Size's argument");
  case Callable::TensorV1:
  case Callable::TensorV2: return tensor(items);
  case Callable::Parameter:
    if (items.empty()) bad("a parameter without a tensor");
    return kind(items[0], Kind::Tensor, "a parameter");
  case Callable::StorageType: break;
  }
  bad("'", f.name, "' is called");
}

bool Pickle::step() {
  at_ = in_.position();
  const auto op = in_.read<uint8_t>("opcode");
  switch (op) {
  case 0x80: // PROTO
    if (const auto protocol = in_.read<uint8_t>("protocol"); protocol > 5) bad("protocol ", protocol);
    break;
  case 0x95: in_.skip(8, "frame"); break; // FRAME
  case '.': result_ = pop(); return false;
  case '(':
    if (marks_.size() == marks_.capacity()) charge(std::max<size_t>(64, marks_.size()) * sizeof(size_t));
    marks_.push_back(stack_.size());
    break;
  case '0': // POP takes a mark too
    if (!marks_.empty() && marks_.back() == stack_.size())
      marks_.pop_back();
    else
      pop();
    break;
  case '1': pop_to_mark(); break;
  case '2': push(top()); break;
  case 'N': push({}); break;
  case 0x88: push({Kind::Bool, 0, 1}); break;
  case 0x89: push({Kind::Bool, 0, 0}); break;
  case 'K': push({Kind::Int, 0, in_.read<uint8_t>("integer")}); break;
  case 'M': push({Kind::Int, 0, in_.read<uint16_t>("integer")}); break;
  case 'J': push({Kind::Int, 0, in_.read<int32_t>("integer")}); break;
  case 0x8a: push(integer_of(in_.read<uint8_t>("integer"))); break;
  case 0x8b: push(integer_of(in_.read<uint32_t>("integer"))); break;
  case 'G': in_.skip(8, "number"), push({Kind::Float, 0, 0}); break;
  case 'X':
  case 'T':
  case 'B': push(text(in_.read<uint32_t>("text"))); break;
  case 0x8c:
  case 'U':
  case 'C': push(text(in_.read<uint8_t>("text"))); break;
  case 0x8d:
  case 0x8e: push(text(in_.read<uint64_t>("text"))); break;
  case ')': push(container(Kind::Tuple, {})); break;
  case 't': push(container(Kind::Tuple, pop_to_mark())); break;
  case 0x85:
  case 0x86:
  case 0x87: { // TUPLE1, 2, 3
    std::vector<Value> items(op - 0x84u);
    for (size_t i = items.size(); i-- > 0;) items[i] = pop();
    push(container(Kind::Tuple, std::move(items)));
    break;
  }
  case ']': push(container(Kind::List, {})); break;
  case 'l': push(container(Kind::List, pop_to_mark())); break;
  case 'a': { // APPEND
    const Value item = pop();
    extend(top(), Kind::List, {item});
    break;
  }
  case 'e': { // APPENDS
    const std::vector<Value> items = pop_to_mark();
    extend(top(), Kind::List, items);
    break;
  }
  case '}': push(container(Kind::Dict, {})); break;
  case 'd': { // DICT
    const std::vector<Value> items = pop_to_mark();
    push(container(Kind::Dict, {}));
    extend(top(), Kind::Dict, items);
    break;
  }
  case 's': { // SETITEM
    const Value value = pop(), key = pop();
    extend(top(), Kind::Dict, {key, value});
    break;
  }
  case 'u': { // SETITEMS
    const std::vector<Value> items = pop_to_mark();
    extend(top(), Kind::Dict, items);
    break;
  }
  case 'q': remember(in_.read<uint8_t>("memo slot")); break;
  case 'r': remember(in_.read<uint32_t>("memo slot")); break;
  case 0x94: remember(memo_.size()); break;
  case 'h': recall(in_.read<uint8_t>("memo slot")); break;
  case 'j': recall(in_.read<uint32_t>("memo slot")); break;
  case 'c': { // GLOBAL
    const std::string module = line(), name = line();
    push(global(module, name));
    break;
  }
  case 0x93: { // STACK_GLOBAL
    const Value name = pop(), module = pop();
    push(global(texts_[kind(module, Kind::Text, "a module's name").index],
                texts_[kind(name, Kind::Text, "a name").index]));
    break;
  }
  case 'R': { // REDUCE
    const Value arguments = pop(), callable = pop();
    push(reduce(callable, arguments));
    break;
  }
  case 'b': // BUILD: attributes of an OrderedDict, such as _metadata
    pop();
    kind(top(), Kind::Dict, "what is given attributes");
    break;
  case 'Q': push(storage(pop())); break; // BINPERSID
  default:
    fail(ErrorCode::Unsupported, in_.file().path(), ": the pickle at byte ", at_, " has opcode ",
         unsigned(op),
         ", which checkpoints of tensors do not need; save the model's state_dict alone, or as safetensors");
  }
  return true;
}

Pickle::Pickle(FileCursor &in) : in_(in) {
  while (step()) {}
  stack_ = {};
  memo_ = {};
}

} // namespace fovea
