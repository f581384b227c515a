#include "fuzz/json_edit.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace fovea::fuzz {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxNodes = 3000, kMaxDepth = 200;

/// Nothing for what is no JSON, or nests so deep that printing it would overflow the stack.
std::optional<Json> parsed(const std::string &text) {
  size_t depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (depth > kMaxDepth) return {};
  }
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return {};
  return json;
}

void collect(Json &node, std::vector<Json *> &nodes) {
  if (nodes.size() == kMaxNodes) return;
  nodes.push_back(&node);
  if (node.is_structured())
    for (Json &child : node) collect(child, nodes);
}

std::string printed(const Json &json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void edit_number(Json &node, Dice &dice) {
  static const std::vector<double> odd = {-1, 0.5, 1e308, -1e308, 5e-324, 1e19, -0.0, 1e10};
  if (dice.one_in(3))
    node = dice.of(odd);
  else if (dice.one_in(4))
    node = int64_t(dice.number(1));
  else
    node = dice.number(node.is_number_unsigned() ? node.get<uint64_t>() : 1);
}

void edit_children(Json &node, const std::vector<Json *> &nodes, Dice &dice) {
  const size_t i = dice.below(node.size());
  auto child = node.begin();
  std::advance(child, std::ptrdiff_t(i));
  if (node.is_array()) {
    if (dice.one_in(2)) return void(node.erase(child));
    return node.push_back(Json(*dice.of(nodes)));
  }
  const std::string key = child.key();
  const Json value = *child;
  switch (dice.below(4)) {
  case 0: node.erase(key); break;
  case 1: node[mutate_bytes(key, 8)] = value; break;
  case 2: // one key's value under another
    if (Json *other = dice.of(nodes); other->is_object() && !other->empty()) {
      auto at = other->begin();
      std::advance(at, std::ptrdiff_t(dice.below(other->size())));
      node[std::string(at.key())] = value;
    }
    break;
  case 3: node[key] = Json(*dice.of(nodes)); break;
  }
}

void edit_node(Json &json, Dice &dice) {
  std::vector<Json *> nodes;
  collect(json, nodes);
  Json &node = *dice.of(nodes);
  switch (dice.below(12)) {
  case 0: node = Json(*dice.of(nodes)); return;
  case 1: {
    static const std::vector<Json> odd = {nullptr, true, false, Json::array(), Json::object(), "",
                                          0,       -1,   1.5};
    node = dice.of(odd);
    return;
  }
  case 2: {
    Json inner = node;
    for (size_t n = dice.one_in(8) ? 100 : 1 + dice.below(3); n-- > 0;)
      inner = dice.one_in(2) ? Json::array({inner}) : Json{{"a", inner}};
    node = inner;
    return;
  }
  default: break;
  }
  if (node.is_number()) return edit_number(node, dice);
  if (node.is_boolean()) return void(node = !node.get<bool>());
  if (node.is_string()) {
    const auto text = node.get<std::string>();
    node = dice.one_in(3) ? edit_text(text, dice) : mutate_bytes(text, 16);
    return;
  }
  if (node.is_structured() && !node.empty()) return edit_children(node, nodes, dice);
  node = Json(*dice.of(nodes));
}

} // namespace

std::string edit_json(const std::string &text, Dice &dice) {
  if (dice.one_in(8)) return edit_text(text, dice);
  std::optional<Json> json = parsed(text);
  if (!json) return dice.one_in(2) ? edit_text(text, dice) : mutate_bytes(text);
  for (size_t n = 1 + dice.below(2); n-- > 0;) edit_node(*json, dice);
  return printed(*json);
}

std::string join_json(const std::string &a, const std::string &b, Dice &dice) {
  std::optional<Json> json = parsed(a), other = parsed(b);
  if (!json || !other) return {};
  std::vector<Json *> mine, theirs;
  collect(*json, mine);
  collect(*other, theirs);
  *dice.of(mine) = Json(*dice.of(theirs));
  return printed(*json);
}

} // namespace fovea::fuzz
