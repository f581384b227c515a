#include "kernels/quirks.h"

#include "base/device_profile.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "kernels/catalogue.h"

#include <cstdlib>

namespace fovea {
namespace {

constexpr uint64_t kMaxBytes = 256 << 10;

struct Text {
  const char *name, *title, *text;
};
constexpr Text kBuiltin[] = {
#include "kernels/quirks.inc"
};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool read_number(std::string_view text, uint32_t &value) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size();
}

/// N, FIRST..LAST, FIRST.. or ..LAST
bool read_range(std::string_view text, Quirk::Range &range) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos)
    return read_number(text, range.first) && (range.last = range.first, true);
  const std::string_view first = trimmed(text.substr(0, dots)), last = trimmed(text.substr(dots + 2));
  if (first.empty() && last.empty()) return false;
  if (!first.empty() && !read_number(first, range.first)) return false;
  if (!last.empty() && !read_number(last, range.last)) return false;
  return range.first <= range.last;
}

/// The kernels of that name; * at its end stands for any.
std::set<uint32_t> kernels_named(std::string_view name) {
  const bool any_end = name.ends_with('*');
  if (any_end) name.remove_suffix(1);
  std::set<uint32_t> found;
  for (uint32_t id = 0; id < kKernelCount; ++id) {
    const std::string_view kernel = to_string(KernelId(id));
    if (any_end ? kernel.starts_with(name) : kernel == name) found.insert(id);
  }
  return found;
}

/// False for what is neither.
bool add_off(Quirk &quirk, std::string_view word) {
  quirk.off.emplace_back(word);
  DeviceCaps any;
  if (switch_off(any, word)) {
    quirk.features.emplace_back(word);
    return true;
  }
  const std::set<uint32_t> kernels = kernels_named(word);
  quirk.kernels.insert(kernels.begin(), kernels.end());
  return !kernels.empty();
}

struct Parser {
  const std::string &name;
  size_t n_line = 0;
  std::vector<Quirk> quirks{};

  [[noreturn]] void wrong(const std::string &what) const {
    fail(ErrorCode::InvalidArgument, name, ", line ", n_line, ": ", what);
  }

  void check_last() const {
    if (quirks.empty()) return;
    const Quirk &q = quirks.back();
    const auto any = [](const Quirk::Range &r) { return r.first == 0 && r.last == UINT32_MAX; };
    if (any(q.vendor) && any(q.driver)) wrong("quirk '" + q.name + "' before it has no vendor and no driver");
    if (q.off.empty()) wrong("quirk '" + q.name + "' before it switches nothing off");
    if (q.because.empty()) wrong("quirk '" + q.name + "' before it says no 'because'");
  }

  void add(std::string_view key, std::string_view value) {
    if (key == "quirk") {
      check_last();
      if (value.empty()) wrong("a quirk needs a name");
      quirks.push_back({});
      quirks.back().name = value;
      return;
    }
    if (quirks.empty()) wrong(concat("expected 'quirk = NAME' before '", key, "'"));
    Quirk &q = quirks.back();
    Quirk::Range *range = key == "vendor"    ? &q.vendor
                          : key == "device"  ? &q.device
                          : key == "driver"  ? &q.driver
                          : key == "version" ? &q.version
                                             : nullptr;
    if (range) {
      if (!read_range(value, *range))
        wrong(concat(key, " is '", value, "', expected a number or a range such as 0x100..0x1ff"));
    } else if (key == "because") {
      q.because = value;
    } else if (key == "source") {
      q.source = value;
    } else if (key == "off") {
      while (!value.empty()) {
        const size_t space = std::min(value.find_first_of(" \t"), value.size());
        if (!add_off(q, value.substr(0, space)))
          wrong(concat("'", value.substr(0, space), "' is no feature and no kernel"));
        value = trimmed(value.substr(space));
      }
    } else {
      wrong(concat("no part of a quirk is called '", key, "'"));
    }
  }
};

} // namespace

std::vector<Quirk> parse_quirks(std::string_view text, const std::string &name) {
  if (text.size() > kMaxBytes)
    fail(ErrorCode::InvalidArgument, name, ": ", text.size(), " bytes are more than a list of quirks has (",
         kMaxBytes, ")");
  Parser parser{name};
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++parser.n_line;
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) parser.wrong(concat("expected NAME = VALUE, got '", line, "'"));
    parser.add(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
  parser.check_last();
  return std::move(parser.quirks);
}

std::vector<Quirk> builtin_quirks() { return parse_quirks(kBuiltin[0].text, "built-in quirks"); }

std::vector<Quirk> quirks_from_environment() {
  const char *value = std::getenv("FOVEA_QUIRKS");
  std::string path = value ? value : "";
  if (path == "none") return {};
  const bool adds = path.starts_with('+');
  if (adds) path.erase(0, 1);
  std::vector<Quirk> quirks = path.empty() || adds ? builtin_quirks() : std::vector<Quirk>();
  if (path.empty()) return quirks;
  try {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    for (Quirk &quirk : parse_quirks({reinterpret_cast<const char *>(bytes.data()), bytes.size()}, path))
      quirks.push_back(std::move(quirk));
  } catch (const Error &e) {
    fail(e.code(), "FOVEA_QUIRKS: ", e.what());
  }
  return quirks;
}

void apply_quirks(DeviceCaps &caps, std::span<const Quirk> quirks) {
  for (const Quirk &quirk : quirks) {
    if (!quirk.concerns(caps)) continue;
    for (const std::string &feature : quirk.features) switch_off(caps, feature);
    caps.disabled_kernels.insert(quirk.kernels.begin(), quirk.kernels.end());
    std::string words;
    for (const std::string &word : quirk.off) words += " " + word;
    caps.quirks.push_back(concat(quirk.name, ": without", words, ": ", quirk.because,
                                 quirk.source.empty() ? "" : concat(" (", quirk.source, ")")));
  }
}

} // namespace fovea
