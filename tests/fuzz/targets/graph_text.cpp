// Graph text: parsed, printed and parsed again, types inferred, planned. Lines "# weight NAME ENCODING
// [SHAPE]" (comments to the parser) say what tensors the file has.
#include "fuzz/graph_edit.h"
#include "fuzz/harness.h"
#include "fuzz/plan_graph.h"
#include "ops/registry.h"

#include <charconv>

using namespace fovea;
using namespace fovea::fuzz;

namespace {

using Weights = std::map<std::string, WeightInfo>;

/// Weights of the sizes that a file could have: a terabyte at most.
Weights weights_of(std::string_view text) {
  constexpr std::string_view kBegin = "# weight ";
  Weights out;
  uint64_t offset = 0;
  for (size_t at = text.find(kBegin); at != text.npos && out.size() < 64; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const std::string_view line = text.substr(at, std::min(text.find('\n', at), text.size()) - at);
    const size_t name_end = line.find(' '), bracket = line.find('[');
    if (name_end == line.npos || bracket == line.npos || bracket < name_end + 2) continue;
    std::vector<uint64_t> dims;
    for (size_t i = bracket + 1; i < line.size() && dims.size() < size_t(kMaxRank);) {
      uint64_t dim = 0;
      const auto [end, error] = std::from_chars(line.data() + i, line.data() + line.size(), dim);
      if (error != std::errc() || dim == 0) break;
      dims.push_back(dim);
      i = size_t(end - line.data()) + 2;
    }
    if (dims.empty()) continue;
    attempt([&] {
      const TensorType type{Shape(std::span<const uint64_t>(dims)),
                            parse_encoding(std::string(line.substr(name_end + 1, bracket - name_end - 2)))};
      const uint64_t codes = (plane_bytes(type.shape, type.encoding) + 255) / 256 * 256, all = type.bytes();
      if (all > 1ull << 40) return;
      out.emplace(std::string(line.substr(0, name_end)), WeightInfo{type, offset, offset + codes});
      offset += (all + 511) / 256 * 256;
    });
  }
  return out;
}

std::string edit(std::string_view input, Dice &dice) {
  std::string text(input);
  for (size_t n = 1 + dice.below(3); n-- > 0;) text = edit_graph(text, dice);
  return text;
}

std::string join(std::string_view a, std::string_view b, Dice &dice) {
  return join_graphs(std::string(a), std::string(b), dice);
}

} // namespace

FOVEA_FUZZ_MUTATORS(edit, join)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  return run_input(std::as_bytes(std::span(data, size)), [&] {
    const Graph graph = parse_graph(text, op_table());
    const std::string printed = print_graph(graph);
    if (print_graph(parse_graph(printed, op_table())) != printed) finding("printing is not stable", printed);
    const Weights weights = weights_of(text);
    plan_graph(
        graph,
        [&](const std::string &name) {
          const auto found = weights.find(name);
          return found == weights.end() ? nullptr : &found->second;
        },
        variant_of(text));
  });
}
