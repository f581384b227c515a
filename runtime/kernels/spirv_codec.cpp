#include "kernels/spirv_codec.h"

#include "base/error.h"

#include <array>
#include <unordered_map>

namespace fovea {
namespace {

constexpr uint32_t kMagic = 0x07230203, kHeaderWords = 5, kFunction = 54;
constexpr uint32_t kMaxOpcode = 0xFFFF, kMaxLength = 0xFFFF;

/// How an instruction's operands are written; a wrong answer costs bytes, nothing else.
struct Form {
  bool typed = false;      // begins with a type, then the result
  bool result = false;     // begins with the result
  uint32_t references = 0; // so many of the rest are ids of results
  bool forward = false;    // of which many are still to come (labels)
};

Form form_of(uint32_t op) {
  constexpr uint32_t kAll = 0xFFFF;
  const auto within = [op](uint32_t first, uint32_t last) { return first <= op && op <= last; };
  switch (op) {
  case 7:
  case 11:
  case 248: return {false, true}; // strings, imports, labels
  case 41:
  case 42:
  case 43:
  case 48:
  case 49:
  case 50:
  case 52: // constants: literals
  case 54:
  case 59: return {true, false}; // functions, variables
  case 44:
  case 51: return {true, false, kAll}; // composites
  case 61:
  case 81: return {true, false, 1}; // load, extract: then literals
  case 79:
  case 82: return {true, false, 2};           // shuffle, insert
  case 12: return {true, false, 1};           // extended instructions
  case 62: return {false, false, 2};          // store
  case 245: return {true, false, kAll, true}; // phi
  case 246:
  case 247:
  case 249:
  case 250: return {false, false, kAll, true}; // merges, branches
  case 254: return {false, false, kAll};
  default: break;
  }
  if (within(19, 33)) return {false, true};
  const bool computes = within(55, 60) || within(65, 70) || within(77, 218) || within(227, 242) ||
                        within(333, 366) || op == 1 || op == 400;
  return computes ? Form{true, false, kAll} : Form{};
}

uint32_t zigzag(uint32_t value) { return value << 1 ^ (0 - (value >> 31)); }
uint32_t unzigzag(uint32_t value) { return value >> 1 ^ (0 - (value & 1)); }

/// What writer and reader both know after each instruction.
class State {
public:
  uint32_t last = 0; // result
  bool in_function = false;

  /// Of the last instruction of an opcode (or of one that shares its place, which costs bytes, nothing else).
  uint32_t &length(uint32_t op) { return lengths_[op % lengths_.size()]; }

private:
  std::array<uint32_t, 512> lengths_{};
};

class Writer {
public:
  std::vector<uint8_t> write(std::span<const uint32_t> words) {
    put_varint(out_, words.size());
    for (uint32_t i = 1; i < kHeaderWords; ++i) put_varint(out_, words[i]);
    for (size_t at = kHeaderWords; at < words.size();) {
      const uint32_t length = words[at] >> 16;
      if (length == 0 || length > words.size() - at)
        fail(ErrorCode::InvalidArgument, "the SPIR-V module is truncated");
      instruction(words[at], words.subspan(at + 1, length - 1));
      at += length;
    }
    return std::move(out_);
  }

private:
  void instruction(uint32_t head, std::span<const uint32_t> words) {
    const uint32_t length = head >> 16, op = head & kMaxOpcode;
    if (op == 0 || state_.length(op) != length) { // 0: a length follows
      put_varint(out_, 0);
      put_varint(out_, length);
      state_.length(op) = length;
    }
    put_varint(out_, op);
    state_.in_function |= op == kFunction;
    const Form form = form_of(op);
    size_t i = 0;
    if (form.typed && i < words.size()) reference(words[i++], true);
    const bool has_result = (form.typed || form.result) && i < words.size();
    const uint32_t result = has_result ? words[i++] : 0;
    if (has_result) {
      put_varint(out_, zigzag(result - state_.last - 1));
      state_.last = result;
    }
    for (const size_t first = i; i < words.size(); ++i) {
      if (i - first < form.references)
        reference(words[i], form.forward);
      else
        put_varint(out_, words[i]);
    }
    if (has_result && !state_.in_function) ranks_.emplace(result, n_globals_++);
  }
  void reference(uint32_t id, bool forward) {
    const auto global = ranks_.find(id);
    if (global != ranks_.end()) return put_varint(out_, uint64_t(global->second) << 1 | 1);
    const uint32_t back = state_.last - id;
    put_varint(out_, uint64_t(forward ? zigzag(back) : back) << 1);
  }

  State state_;
  std::unordered_map<uint32_t, uint32_t> ranks_; // of globals
  uint32_t n_globals_ = 0;
  std::vector<uint8_t> out_;
};

class Reader {
public:
  explicit Reader(Bytes bytes) : in_(bytes), n_words_(in_.varint()) {
    if (n_words_ < kHeaderWords || n_words_ > bytes.size() * 8)
      fail(ErrorCode::Internal, "a packed kernel of ", n_words_, " words in ", bytes.size(), " bytes");
  }

  std::vector<uint32_t> read() {
    words_ = {kMagic};
    words_.reserve(n_words_);
    for (uint32_t i = 1; i < kHeaderWords; ++i) words_.push_back(uint32_t(in_.varint()));
    while (words_.size() < n_words_) instruction();
    if (!in_.empty()) fail(ErrorCode::Internal, "a packed kernel goes on after its end");
    return std::move(words_);
  }

private:
  void instruction() {
    uint64_t op = in_.varint(), length = 0;
    const bool given = op == 0;
    if (given) {
      length = in_.varint();
      op = in_.varint();
    }
    if (op > kMaxOpcode) fail(ErrorCode::Internal, "a packed kernel has an opcode ", op);
    if (!given) length = state_.length(uint32_t(op));
    if (length == 0 || length > kMaxLength || length > n_words_ - words_.size())
      fail(ErrorCode::Internal, "a packed kernel has an instruction of ", length, " words");
    state_.length(uint32_t(op)) = uint32_t(length);
    words_.push_back(uint32_t(length << 16 | op));
    state_.in_function |= op == kFunction;
    const Form form = form_of(uint32_t(op));
    uint64_t left = length - 1;
    if (form.typed && left) {
      words_.push_back(reference(true));
      --left;
    }
    const bool has_result = (form.typed || form.result) && left;
    uint32_t result = 0;
    if (has_result) {
      result = state_.last + 1 + unzigzag(uint32_t(in_.varint()));
      words_.push_back(result);
      state_.last = result;
      --left;
    }
    for (uint32_t i = 0; left; ++i, --left)
      words_.push_back(i < form.references ? reference(form.forward) : uint32_t(in_.varint()));
    if (has_result && !state_.in_function) globals_.push_back(result);
  }
  uint32_t reference(bool forward) {
    const uint64_t code = in_.varint(), value = code >> 1;
    if (code & 1) {
      if (value >= globals_.size()) fail(ErrorCode::Internal, "a packed kernel uses a global that it lacks");
      return globals_[value];
    }
    return state_.last - (forward ? unzigzag(uint32_t(value)) : uint32_t(value));
  }

  ByteCursor in_;
  uint64_t n_words_;
  State state_;
  std::vector<uint32_t> globals_; // by rank
  std::vector<uint32_t> words_;
};

} // namespace

std::vector<uint8_t> bytes_of(std::span<const uint32_t> words) {
  if (words.size() < kHeaderWords || words[0] != kMagic)
    fail(ErrorCode::InvalidArgument, "not a SPIR-V module");
  return Writer().write(words);
}

std::vector<uint32_t> words_of(Bytes bytes) { return Reader(bytes).read(); }

} // namespace fovea
