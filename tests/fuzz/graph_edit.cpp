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
  Caller(const std::vector<std::string> &names, Dice &random) : names_(names), random_(random) {}
  void operand(const char *, Value &) override {
    operands += concat(operands.empty() ? "" : ", ", random_.of(names_));
  }
  void optional_operand(const char *, Value &) override {
    operands += concat(operands.empty() ? "" : ", ", random_.one_in(3) ? random_.of(names_) : "_");
  }
  void field(const char *name, uint32_t &, std::optional<uint32_t> fallback) override {
    if (fallback && random_.one_in(2)) return;
    fields += concat(" ", name, "=",
                     random_.one_in(4) ? uint32_t(random_.number(1)) : uint32_t(1 + random_.below(8)));
  }
  void field(const char *name, float &, std::optional<float> fallback) override {
    static const std::vector<std::string> values = {"1",    "0",      "-1",  "1e-5", "0.5",
                                                    "1e38", "-1e-38", "inf", "nan"};
    if (!fallback || !random_.one_in(2)) fields += concat(" ", name, "=", random_.of(values));
  }
  void field(const char *name, bool &, std::optional<bool>) override {
    if (random_.one_in(2)) fields += concat(" ", name, "=", random_.one_in(2));
  }
  void field(const char *name, StepName &) override {
    if (random_.one_in(2)) fields += concat(" ", name, "=pos");
  }
  void choice(const char *name, uint32_t &, std::span<const char *const> names) override {
    if (random_.one_in(2)) fields += concat(" ", name, "=", names[random_.below(names.size())]);
  }
  std::string operands, fields;

private:
  const std::vector<std::string> &names_;
  Dice &random_;
};

std::string call(const std::vector<std::string> &names, Dice &random) {
  const OpTable ops = op_table();
  const OpRow &row = ops[random.below(ops.size())];
  Op op = row.make();
  Caller caller(names, random);
  op.fields(caller);
  return concat(row.name, "(", caller.operands, ")", caller.fields);
}

std::string shape(Dice &random) {
  std::string out = "[";
  for (size_t n = random.below(5), i = 0; i < n; ++i) {
    const std::string dim = random.one_in(4)   ? "T"
                            : random.one_in(6) ? concat(random.number(64))
                                               : concat(1 + random.below(random.one_in(2) ? 8 : 130));
    out += concat(i ? ", " : "", dim);
  }
  return out + "]";
}

std::string line(const std::vector<std::string> &lines, Dice &random) {
  static const std::vector<std::string> encodings = {"f32", "f16", "i32", "q8", "q4"};
  const std::vector<std::string> names = names_of(lines);
  const std::string name = random.one_in(3) ? random.of(names) : concat("n", random.below(40));
  switch (random.below(9)) {
  case 0:
    return concat("  in ", name, " ", random.of(encodings), " ", shape(random),
                  random.one_in(4) ? " = 1" : "");
  case 1: return concat("  state ", name, " ", random.of(encodings), " ", shape(random));
  case 2: return "  step pos";
  case 3: return concat("# weight ", name, " ", random.of(encodings), " ", shape(random));
  case 4: return concat("  ", call(names, random), " -> ", random.of(names), random.one_in(2) ? "[pos]" : "");
  case 5: return concat("  offer ", name, " = ", call(names, random));
  case 6: return concat("  out ", name, " = ", call(names, random));
  default: return concat("  ", name, " = ", call(names, random));
  }
}

} // namespace

std::string edit_graph(const std::string &text, Dice &random) {
  if (random.one_in(2)) return edit_text(text, random);
  std::vector<std::string> lines = lines_of(text);
  const std::string added = line(lines, random);
  const size_t at = random.below(lines.size() + 1);
  if (random.one_in(3) && at < lines.size())
    lines[at] = added;
  else
    lines.insert(lines.begin() + std::ptrdiff_t(at), added);
  return joined(lines);
}

std::string join_graphs(const std::string &a, const std::string &b, Dice &random) {
  std::vector<std::string> lines = lines_of(a);
  const std::vector<std::string> others = lines_of(b);
  if (others.empty()) return {};
  for (size_t n = 1 + random.below(4); n-- > 0;)
    lines.insert(lines.begin() + std::ptrdiff_t(random.below(lines.size() + 1)), random.of(others));
  return joined(lines);
}

} // namespace fovea::fuzz
