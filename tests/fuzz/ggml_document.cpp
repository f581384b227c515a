#include "fuzz/ggml_document.h"

#include "support/source_files.h"

namespace fovea::fuzz {
namespace {

constexpr size_t kNumbers = 11;

struct Document {
  std::vector<int32_t> numbers = std::vector<int32_t>(kNumbers);
  int32_t n_mel = 1, n_fft = 1;
  std::vector<float> filters;
  std::vector<std::string> tokens;
  std::vector<test::GgmlTensor> tensors;

  std::string write() const { return test::whisper_ggml(numbers, n_mel, n_fft, filters, tokens, tensors); }
};

Document parse(std::string_view in) {
  Document out;
  const auto take = [&](uint64_t n) {
    const std::string_view part = in.substr(0, n);
    in.remove_prefix(part.size());
    return part;
  };
  const auto number = [&] {
    int32_t value = 0;
    if (const std::string_view bytes = take(4); !bytes.empty())
      std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  };
  take(4);
  for (int32_t &value : out.numbers) value = number();
  out.n_mel = number();
  out.n_fft = number();
  const std::string_view filters = take(4 * uint64_t(uint32_t(out.n_mel)) * uint32_t(out.n_fft));
  out.filters.resize(filters.size() / 4);
  if (!out.filters.empty()) std::memcpy(out.filters.data(), filters.data(), out.filters.size() * 4);
  for (int32_t n = number(); n > 0 && !in.empty(); --n) out.tokens.emplace_back(take(uint32_t(number())));
  while (in.size() > 12 && out.tensors.size() < 1000) {
    test::GgmlTensor t;
    const int32_t rank = number(), n_name = number();
    t.type = number();
    uint64_t n = t.type == 1 ? 2 : 4;
    for (int32_t i = 0; i < rank && i < 8; ++i) {
      t.shape.insert(t.shape.begin(), number());
      n *= uint32_t(t.shape.front());
    }
    t.name = take(uint32_t(n_name));
    t.bytes = take(n);
    out.tensors.push_back(std::move(t));
  }
  return out;
}

void edit_tensor(test::GgmlTensor &t, const std::vector<test::GgmlTensor> &all, Dice &dice) {
  switch (dice.below(6)) {
  case 0: t.name = dice.one_in(2) ? mutate_bytes(t.name, 8) : dice.of(all).name; break;
  case 1: t.type = dice.one_in(3) ? int32_t(dice.number(1)) : int32_t(dice.below(3)); break;
  case 2: shuffle_list(t.shape, dice); break;
  case 3: t.bytes = mutate_bytes(t.bytes); return;
  default:
    if (t.shape.empty()) t.shape.push_back(1);
    t.shape[dice.below(t.shape.size())] = int32_t(dice.one_in(2) ? dice.below(20) : dice.number(1));
  }
  uint64_t n = t.type == 1 ? 2 : 4;
  for (const int32_t d : t.shape)
    if (__builtin_mul_overflow(n, uint64_t(uint32_t(d)), &n)) return;
  if (n < 1 << 14) t.bytes.resize(n, '\x3c');
}

} // namespace

std::string edit_ggml(std::string_view file, Dice &dice) {
  Document d = parse(file);
  for (size_t n = 1 + dice.below(2); n-- > 0;) switch (dice.below(8)) {
    case 0: {
      int32_t &value = d.numbers[dice.below(kNumbers)];
      value = int32_t(dice.one_in(2) ? dice.below(32) : dice.number(uint32_t(value)));
      break;
    }
    case 1:
      (dice.one_in(2) ? d.n_mel : d.n_fft) = int32_t(dice.one_in(2) ? 1 + dice.below(8) : dice.number(4));
      if (const uint64_t n_values = uint64_t(uint32_t(d.n_mel)) * uint32_t(d.n_fft); n_values < 1 << 12)
        d.filters.resize(n_values);
      break;
    case 2: shuffle_list(d.tokens, dice); break;
    case 3:
      if (!d.tokens.empty()) {
        std::string &token = d.tokens[dice.below(d.tokens.size())];
        token = mutate_bytes(token);
      }
      break;
    case 4: shuffle_list(d.tensors, dice); break;
    default:
      if (!d.tensors.empty()) edit_tensor(d.tensors[dice.below(d.tensors.size())], d.tensors, dice);
    }
  return d.write();
}

std::string join_ggml(std::string_view a, std::string_view b, Dice &dice) {
  Document d = parse(a);
  const Document other = parse(b);
  if (!other.tensors.empty() && dice.one_in(2))
    d.tensors.insert(d.tensors.begin() + std::ptrdiff_t(dice.below(d.tensors.size() + 1)),
                     dice.of(other.tensors));
  else
    d.numbers = other.numbers;
  return d.write();
}

} // namespace fovea::fuzz
