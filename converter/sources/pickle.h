// Pickle: what one pickle of a PyTorch checkpoint says, interpreted by a whitelist of opcodes and names.
// Nothing is imported or called: a name that is not one of PyTorch's tensors and storages, OrderedDict or
// torch.Size is an Error Unsupported that names it.
//
// Owns values, with memory of at most kPickleMemoryBytes whatever the stream says. One thread. Errors
// InvalidFile and Unsupported name the file and the byte. Protocols 2 to 5.
// Sources: Python's pickletools.py (opcodes), PyTorch's torch/_utils.py and serialization.py (names).
#pragma once

#include "converter/sources/source.h"

#include <map>

namespace fovea {

inline constexpr uint64_t kPickleMemoryBytes = 24 << 20;

/// Where tensors' bytes are: an entry of the zip, or a block of the older format.
struct PickledStorage {
  std::string key;
  SourceType type = SourceType::F32;
  uint64_t elements = 0;
};

struct PickledTensor {
  std::string name;
  uint32_t storage = 0; // index into Pickle::storages()
  uint64_t offset = 0;  // elements, in the storage
  std::vector<uint64_t> shape, strides;
};

class Pickle {
public:
  /// Reads from the cursor through the STOP opcode.
  explicit Pickle(FileCursor &in);

  const std::vector<PickledStorage> &storages() const { return storages_; }
  /// The tensors of a dictionary of them, or of its "state_dict", "model_state_dict", "model" or "module".
  /// Other values are skipped.
  std::vector<PickledTensor> tensors() const;
  /// The result as a list of texts; Error when it is something else.
  std::vector<std::string> texts() const;
  /// The result as an integer.
  std::optional<int64_t> integer() const;
  /// The result as the little-endian bytes of an integer of more than 64 bits; empty when it is none.
  std::string long_bytes() const;
  /// Entry `key` of a dictionary, when that is a boolean.
  std::optional<bool> flag(std::string_view key) const;

private:
  enum class Kind : uint8_t {
    None,
    Bool,
    Int,
    Float,
    Text,
    Long,
    Tuple,
    List,
    Dict,
    Global,
    Storage,
    Tensor
  };
  struct Value {
    Kind kind = Kind::None;
    uint32_t index = 0; // of the table of its kind
    int64_t number = 0; // Bool, Int; a Global's row
  };

  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const;
  void charge(uint64_t n_bytes);
  bool step();
  void push(Value value);
  Value pop();
  Value &top();
  const Value &kind(const Value &value, Kind expected, std::string_view what) const;
  std::vector<Value> pop_to_mark();
  Value container(Kind kind, std::vector<Value> items);
  void extend(const Value &target, Kind kind, const std::vector<Value> &items);
  Value text(uint64_t n_bytes, Kind kind = Kind::Text);
  Value integer_of(uint64_t n_bytes);
  void remember(uint64_t slot);
  void recall(uint64_t slot);
  Value global(std::string_view module, std::string_view name) const;
  std::string line();
  Value reduce(const Value &callable, const Value &arguments);
  Value tensor(const std::vector<Value> &arguments);
  Value storage(const Value &id);
  std::vector<uint64_t> sizes(const Value &tuple, std::string_view what) const;
  uint64_t size(const Value &value, std::string_view what) const;
  const Value *entry(const Value &dict, std::string_view key) const;
  bool has_tensors(const Value &dict) const;

  FileCursor &in_;
  uint64_t at_ = 0, used_bytes_ = 0;
  Value result_;
  std::vector<Value> stack_, memo_;
  std::vector<size_t> marks_;
  std::vector<std::string> texts_;
  std::vector<std::vector<Value>> containers_; // a dictionary's keys and values alternate
  std::vector<PickledStorage> storages_;
  std::map<std::string, uint32_t, std::less<>> storage_index_;
  std::vector<PickledTensor> tensors_; // without names
};

} // namespace fovea
