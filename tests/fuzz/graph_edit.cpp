#include "fuzz/graph_edit.h"

#include "ops/registry.h"

namespace fovea::fuzz {
namespace {

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string> &lines) {
  std::string out;
  for (const std::string &line : lines) out += line + "\n";
  return out;
}

/// Names that a text declares or defines, and those of weights.
std::vector<std::string> names_of(const std::vector<std::string> &lines) {
  std::vector<std::string> names = {"_", "w", "b"};
  for (const std::string &line : lines) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) continue;
    std::string rest = line.substr(begin);
    for (const char *word : {"in ", "state ", "out ", "offer ", "# weight "})
      if (rest.starts_with(word)) rest.erase(0, std::char_traits<char>::length(word));
    rest.erase(0,
               rest.find_first_not_of(' ') == std::string::npos ? rest.size() : rest.find_first_not_of(' '));
    const std::string name = rest.substr(0, rest.find_first_of(" =(["));
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

/// Writes an op's call with operands and fields that exist.
class Caller final : public FieldVisitor {
public:
  Caller(const std::vector<std::string> &names, Dice &dice) : names_(names), dice_(dice) {}
  void operand(const char *, Value &) override {
    operands += concat(operands.empty() ? "" : ", ", dice_.of(names_));
  }
  void optional_operand(const char *, Value &) override {
    operands += concat(operands.empty() ? "" : ", ", dice_.one_in(3) ? dice_.of(names_) : "_");
  }
  void field(const char *name, uint32_t &, std::optional<uint32_t> fallback) override {
    if (fallback && dice_.one_in(2)) return;
    fields +=
        concat(" ", name, "=", dice_.one_in(4) ? uint32_t(dice_.number(1)) : uint32_t(1 + dice_.below(8)));
  }
  void field(const char *name, float &, std::optional<float> fallback) override {
    static const std::vector<std::string> values = {"1",    "0",      "-1",  "1e-5", "0.5",
                                                    "1e38", "-1e-38", "inf", "nan"};
    if (!fallback || !dice_.one_in(2)) fields += concat(" ", name, "=", dice_.of(values));
  }
  void field(const char *name, bool &, std::optional<bool>) override {
    if (dice_.one_in(2)) fields += concat(" ", name, "=", dice_.one_in(2));
  }
  void field(const char *name, StepName &) override {
    if (dice_.one_in(2)) fields += concat(" ", name, "=pos");
  }
  void choice(const char *name, uint32_t &, std::span<const char *const> names) override {
    if (dice_.one_in(2)) fields += concat(" ", name, "=", names[dice_.below(names.size())]);
  }
  std::string operands, fields;

private:
  const std::vector<std::string> &names_;
  Dice &dice_;
};

std::string call(const std::vector<std::string> &names, Dice &dice) {
  const OpTable ops = op_table();
  const OpRow &row = ops[dice.below(ops.size())];
  Op op = row.make();
  Caller caller(names, dice);
  op.fields(caller);
  return concat(row.name, "(", caller.operands, ")", caller.fields);
}

std::string shape(Dice &dice) {
  std::string out = "[";
  for (size_t n = dice.below(5), i = 0; i < n; ++i) {
    const std::string dim = dice.one_in(4)   ? "T"
                            : dice.one_in(6) ? concat(dice.number(64))
                                             : concat(1 + dice.below(dice.one_in(2) ? 8 : 130));
    out += concat(i ? ", " : "", dim);
  }
  return out + "]";
}

std::string line(const std::vector<std::string> &lines, Dice &dice) {
  static const std::vector<std::string> encodings = {"f32", "f16", "i32", "q8", "q4"};
  const std::vector<std::string> names = names_of(lines);
  const std::string name = dice.one_in(3) ? dice.of(names) : concat("n", dice.below(40));
  switch (dice.below(9)) {
  case 0:
    return concat("  in ", name, " ", dice.of(encodings), " ", shape(dice), dice.one_in(4) ? " = 1" : "");
  case 1: return concat("  state ", name, " ", dice.of(encodings), " ", shape(dice));
  case 2: return "  step pos";
  case 3: return concat("# weight ", name, " ", dice.of(encodings), " ", shape(dice));
  case 4: return concat("  ", call(names, dice), " -> ", dice.of(names), dice.one_in(2) ? "[pos]" : "");
  case 5: return concat("  offer ", name, " = ", call(names, dice));
  case 6: return concat("  out ", name, " = ", call(names, dice));
  default: return concat("  ", name, " = ", call(names, dice));
  }
}

} // namespace

std::string edit_graph(const std::string &text, Dice &dice) {
  if (dice.one_in(2)) return edit_text(text, dice);
  std::vector<std::string> lines = lines_of(text);
  const std::string added = line(lines, dice);
  const size_t at = dice.below(lines.size() + 1);
  if (dice.one_in(3) && at < lines.size())
    lines[at] = added;
  else
    lines.insert(lines.begin() + std::ptrdiff_t(at), added);
  return joined(lines);
}

std::string join_graphs(const std::string &a, const std::string &b, Dice &dice) {
  std::vector<std::string> lines = lines_of(a);
  const std::vector<std::string> others = lines_of(b);
  if (others.empty()) return {};
  for (size_t n = 1 + dice.below(4); n-- > 0;)
    lines.insert(lines.begin() + std::ptrdiff_t(dice.below(lines.size() + 1)), dice.of(others));
  return joined(lines);
}

} // namespace fovea::fuzz
