// Cases as text: records of a key, a length and as many bytes, so that nothing in a graph can be taken for
// another record.
#include "check/kernel_case.h"

#include "base/words.h"

#include <utility>

namespace fovea::check {
namespace {

constexpr std::string_view kInPieces = "pieces";
constexpr uint64_t kNoKey = 0; // of the table of preferred variants: it never leaves the case

std::string record(std::string_view key, std::string_view value) {
  return concat(key, " ", value.size(), "\n", value, "\n");
}

std::string numbers(std::span<const uint32_t> values) {
  std::string out;
  for (const uint32_t v : values) out += concat(out.empty() ? "" : " ", v);
  return out;
}

} // namespace

vk::KernelVariant parse_variant(std::string_view text) {
  const auto all = words(text);
  if (all.size() < 2) fail(ErrorCode::InvalidArgument, "'", text, "' is no variant");
  vk::KernelVariant out{kernel_named(all[0]), {}, require_number<uint32_t>(all[1])};
  std::span<const std::string_view> constants(all.begin() + 2, all.end());
  out.in_pieces = !constants.empty() && constants.back() == kInPieces;
  if (out.in_pieces) constants = constants.first(constants.size() - 1);
  for (const std::string_view word : constants) out.spec.push_back(require_number<uint32_t>(word));
  return out;
}

namespace {

std::pair<std::string, TensorType> parse_weight(std::string_view text) {
  const auto all = words(text);
  if (all.size() < 2) fail(ErrorCode::InvalidArgument, "'", text, "' is no tensor");
  std::vector<uint64_t> dims;
  for (const std::string_view word : std::span(all).subspan(2))
    dims.push_back(require_number<uint64_t>(word));
  return {std::string(all[0]), {Shape(std::span<const uint64_t>(dims)), parse_encoding(all[1])}};
}

} // namespace

std::string print_variant(const vk::KernelVariant &variant) {
  std::string out = concat(to_string(variant.id), " ", variant.subgroup_size);
  if (!variant.spec.empty()) out += " " + numbers(variant.spec);
  return variant.in_pieces ? concat(out, " ", kInPieces) : out;
}

std::string print_cases(std::span<const KernelCase> cases) {
  std::string out;
  for (const KernelCase &c : cases) {
    out += record("title", c.title);
    for (const auto &[name, type] : c.weights) {
      std::string text = concat(name, " ", type.encoding);
      for (const uint64_t d : type.shape.dims()) text += concat(" ", d);
      out += record("weight", text);
    }
    for (const auto &[name, value] : c.steps) out += record("step", concat(name, " ", value));
    if (!c.fuse_norms) out += record("apart", "");
    for (const uint32_t id : c.disabled_kernels) out += record("without", to_string(KernelId(id)));
    out += record("prefer", print_tuning(c.preferred, kNoKey, ""));
    for (const vk::KernelVariant &v : c.variants) out += record("variant", print_variant(v));
    out += record("terms", concat(c.terms));
    out += record("graph", c.graph_text); // the last of a case
  }
  return out;
}

std::vector<KernelCase> parse_cases(std::string_view text) {
  std::vector<KernelCase> out;
  KernelCase c;
  while (!text.empty()) {
    const std::string_view key = take_until(text, ' ');
    const uint64_t length = require_number<uint64_t>(take_until(text, '\n'));
    if (length >= text.size() || text[length] != '\n')
      fail(ErrorCode::InvalidArgument, "the cases end in the middle");
    const std::string_view value = text.substr(0, length);
    text.remove_prefix(length + 1);
    if (key == "title") {
      c.title = value;
    } else if (key == "weight") {
      c.weights.push_back(parse_weight(value));
    } else if (key == "step") {
      const auto all = words(value);
      if (all.size() != 2) fail(ErrorCode::InvalidArgument, "'", value, "' is no step");
      c.steps[std::string(all[0])] = require_number<uint32_t>(all[1]);
    } else if (key == "apart") {
      c.fuse_norms = false;
    } else if (key == "without") {
      c.disabled_kernels.insert(uint32_t(kernel_named(value)));
    } else if (key == "prefer") {
      c.preferred = parse_tuning(value, kNoKey);
    } else if (key == "variant") {
      c.variants.push_back(parse_variant(value));
    } else if (key == "terms") {
      c.terms = require_number<uint64_t>(value);
    } else if (key == "graph") {
      c.graph_text = value;
      out.push_back(std::exchange(c, {}));
    } else {
      fail(ErrorCode::InvalidArgument, "'", key, "' is not known of a case");
    }
  }
  return out;
}

} // namespace fovea::check
