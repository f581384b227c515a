#include "check/verdicts.h"

#include "base/hash.h"
#include "base/words.h"
#include "check/kernel_case.h"
#include "kernels/catalogue.h"

namespace fovea::check {
namespace {

constexpr std::string_view kFirstLine = "fovea verdicts 1", kReason = " : ";
constexpr size_t kMaxRows = 100'000;

/// Of what the driver compiles; computed once for each kernel in a table.
class KernelHashes {
public:
  std::string operator()(KernelId id) {
    auto [it, added] = known_.try_emplace(id);
    if (added && is_linked(id))
      it->second = hex(hash_bytes(std::as_bytes(std::span<const uint32_t>(spirv(id)))));
    return it->second;
  }

private:
  std::map<KernelId, std::string> known_;
};

std::string one_line(std::string text) {
  for (char &c : text)
    if (uint8_t(c) < ' ') c = ' ';
  return text;
}

} // namespace

std::string print_verdicts(const VerdictTable &table, uint64_t key, const std::string &device) {
  KernelHashes hash_of;
  std::string out = concat(kFirstLine, "\nkey ", hex(key), "\ndevice ", one_line(device), "\n");
  for (const auto &[variant, verdict] : table)
    out += concat(verdict.right ? "right " : "wrong ", hash_of(variant.id), " ", print_variant(variant),
                  verdict.right ? "" : concat(kReason, one_line(verdict.fault)), "\n");
  return out + concat("end ", table.size(), "\n");
}

VerdictTable parse_verdicts(std::string_view text, uint64_t key) {
  VerdictTable table;
  KernelHashes hash_of;
  size_t line_number = 0, n_rows = 0;
  const auto next = [&] {
    ++line_number;
    return take_until(text, '\n');
  };
  try {
    if (next() != kFirstLine) fail(ErrorCode::InvalidArgument, "expected '", kFirstLine, "'");
    const auto of = number<uint64_t>(after(next(), "key "), 16);
    if (!of) fail(ErrorCode::InvalidArgument, "the key is no number");
    if (*of != key) fail(ErrorCode::NotFound, "made with another driver or device");
    after(next(), "device ");
    for (;;) {
      std::string_view line = next();
      if (line.starts_with("end ")) {
        if (number<size_t>(line.substr(4)) != n_rows || !text.empty())
          fail(ErrorCode::InvalidArgument, n_rows, " rows before '", line, "'");
        return table;
      }
      if (++n_rows > kMaxRows) fail(ErrorCode::InvalidArgument, "more than ", kMaxRows, " rows");
      const std::string_view kind = take_until(line, ' '), hash = take_until(line, ' ');
      if (kind != "right" && kind != "wrong") fail(ErrorCode::InvalidArgument, "'", kind, "' is no verdict");
      const size_t end = std::min(line.find(kReason), line.size());
      Verdict verdict{kind == "right", {}};
      if (!verdict.right) verdict.fault = after(line.substr(end), kReason);
      vk::KernelVariant variant;
      try {
        variant = parse_variant(line.substr(0, end));
      } catch (const Error &) { // a kernel of another version
        continue;
      }
      if (hash_of(variant.id) == hash) table.insert_or_assign(std::move(variant), std::move(verdict));
    }
  } catch (const Error &e) {
    throw Error(e.code(), concat("line ", line_number, ": ", e.what()));
  }
}

} // namespace fovea::check
