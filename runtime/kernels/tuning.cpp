#include "kernels/tuning.h"

#include "base/words.h"
#include "kernels/catalogue.h"
#include "kernels/tuning_builtin.h"

#include <algorithm>
#include <bit>
#include <span>

namespace fovea {
namespace {

constexpr size_t kMaxRows = 10'000;

template <size_t N> std::array<uint32_t, N> numbers(std::span<const std::string_view> words) {
  std::array<uint32_t, N> out{};
  for (size_t i = 0; i < N; ++i) out[i] = require_number<uint32_t>(words[i]);
  return out;
}

/// "linear_base_q8 128 3072 768 0 = linear_texel_q8 16 4"
std::pair<ChoiceKey, VariantId> parse_row(std::string_view line) {
  const auto w = words(line);
  if (w.size() != 9 || w[5] != "=")
    fail(ErrorCode::InvalidArgument, "expected a kernel, four sizes, =, a kernel, two numbers");
  const std::span<const std::string_view> all(w);
  return {{kernel_named(w[0]), numbers<4>(all.subspan(1, 4))},
          {kernel_named(w[6]), numbers<2>(all.subspan(7, 2))}};
}

constexpr std::string_view kFirstLine = "fovea tuning 1";

} // namespace

uint32_t size_class(uint64_t size) {
  const uint64_t power = std::bit_ceil(std::clamp<uint64_t>(size, 1, 1ull << 31));
  return uint32_t(power >= 4 && size <= power / 4 * 3 ? power / 4 * 3 : power);
}

uint32_t rows_class(uint64_t n_rows) {
  if (n_rows <= 8) return uint32_t(n_rows);
  return n_rows <= 16 ? 16 : n_rows <= 64 ? 64 : n_rows <= 256 ? 256 : 1024;
}

void apply_tuning(const DeviceCaps &caps, const ChoiceKey &key, std::vector<KernelChoice> &choices) {
  const auto prefer = [&](const VariantId &wanted) {
    const auto found =
        std::find_if(choices.begin(), choices.end(), [&](const KernelChoice &c) { return c.id() == wanted; });
    if (found != choices.end()) std::rotate(choices.begin(), found, found + 1);
  };
  order_for_driver(caps, key, choices);
  if (caps.tuning)
    if (const auto row = caps.tuning->rows.find(key); row != caps.tuning->rows.end()) prefer(row->second);
  std::vector<VariantId> among;
  for (const KernelChoice &c : choices) among.push_back(c.id());
  for (KernelChoice &c : choices) c.key = key, c.among = among;
}

std::string hex(uint64_t value) {
  std::string out(16, '0');
  for (size_t i = 0; i < 16; ++i) out[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
  return out;
}

std::string to_string(const VariantId &id) {
  std::string out = to_string(id.kernel);
  if (id.tile[0] != 0) out += concat(" (", id.tile[0], id.tile[1] ? concat(" x ", id.tile[1]) : "", ")");
  return out;
}

std::string print_tuning(const TuningTable &table, uint64_t key, const std::string &device) {
  std::string name = device;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return uint8_t(c) < ' '; }, ' ');
  std::string out = concat(kFirstLine, "\nkey ", hex(key), "\ndevice ", name, "\n");
  for (const auto &[subject, variant] : table.rows) {
    out += to_string(subject.subject);
    for (const uint32_t size : subject.sizes) out += concat(" ", size);
    out += concat(" = ", to_string(variant.kernel), " ", variant.tile[0], " ", variant.tile[1], "\n");
  }
  return out + concat("end ", table.rows.size(), "\n");
}

TuningTable parse_tuning(std::string_view text, uint64_t key) {
  TuningTable table;
  size_t line_number = 0;
  const auto next = [&] {
    ++line_number;
    return take_until(text, '\n');
  };
  try {
    if (next() != kFirstLine) fail(ErrorCode::InvalidArgument, "expected '", kFirstLine, "'");
    const auto of = number<uint64_t>(after(next(), "key "), 16);
    if (!of) fail(ErrorCode::InvalidArgument, "the key is no number");
    if (*of != key) fail(ErrorCode::NotFound, "measured with another driver, device or version of Fovea");
    after(next(), "device ");
    for (;;) {
      const std::string_view line = next();
      if (line.substr(0, 4) == "end ") {
        if (number<size_t>(line.substr(4)) != table.rows.size() || !text.empty())
          fail(ErrorCode::InvalidArgument, table.rows.size(), " rows before '", line, "'");
        return table;
      }
      if (table.rows.size() == kMaxRows) fail(ErrorCode::InvalidArgument, "more than ", kMaxRows, " rows");
      if (!table.rows.insert(parse_row(line)).second)
        fail(ErrorCode::InvalidArgument, "a second row for the same shapes");
    }
  } catch (const Error &e) {
    throw Error(e.code(), concat("line ", line_number, ": ", e.what()));
  }
}

} // namespace fovea
