// Reads every #include and fails where a folder reaches against the dependency direction
// (docs/architecture.md).
#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = FOVEA_SOURCE_DIR;

// What each folder may include, beside itself. Tests may include anything.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"runtime/base", {}},
    {"runtime/format", {"base"}},
    {"runtime/kernels", {"base"}},
    {"runtime/graph", {"base", "kernels"}},
    {"runtime/ops", {"base", "kernels", "graph"}},
    {"runtime/reference", {"base", "kernels", "graph", "ops"}},
    {"runtime/vk", {"base", "kernels"}},
    {"runtime/exec", {"base", "kernels", "format", "graph", "ops", "vk"}},
    {"runtime/check", {"base", "kernels", "format", "graph", "ops", "vk", "exec", "reference"}},
    {"runtime/text", {"base"}},
    {"runtime/audio", {"base"}},
    {"runtime/image", {"base"}},
    {"runtime/tasks",
     {"base", "kernels", "format", "graph", "ops", "vk", "exec", "check", "text", "audio", "image"}},
    {"converter", {"base", "kernels", "format", "graph", "ops", "text", "converter"}},
    {"samples", {"fovea"}},
};

struct Include {
  fs::path file;
  std::string target;
  bool quoted;
};

std::vector<Include> includes_under(const fs::path &folder) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> out;
  if (!fs::exists(folder)) return out;
  for (const auto &entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".hpp" && extension != ".c") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);)
      if (std::regex_search(line, match, pattern)) out.push_back({entry.path(), match[2], match[1] == "\""});
  }
  return out;
}

} // namespace

TEST_CASE("every folder includes only what lies below it") {
  size_t n_checked = 0;
  for (const auto &[folder, allowed] : kAllowed)
    for (const Include &include : includes_under(kRoot / folder)) {
      const size_t slash = include.target.find('/');
      if (!include.quoted || slash == std::string::npos) continue;
      const std::string top = include.target.substr(0, slash);
      const bool own = folder == "runtime/" + top || folder == top;
      INFO(include.file.string(), " includes ", include.target);
      CHECK((own || allowed.count(top) == 1));
      ++n_checked;
    }
  CHECK(n_checked > 100);
}

TEST_CASE("vulkan.h is included in runtime/vk and runtime/exec only") {
  size_t n_seen = 0;
  for (const char *folder : {"runtime", "converter", "samples"})
    for (const Include &include : includes_under(kRoot / folder)) {
      if (include.target.rfind("vulkan/", 0) != 0) continue;
      const std::string where = fs::relative(include.file, kRoot).string();
      INFO(where);
      CHECK((where.rfind("runtime/vk/", 0) == 0 || where.rfind("runtime/exec/", 0) == 0));
      ++n_seen;
    }
  CHECK(n_seen > 0);
}

TEST_CASE("the runtime names no architecture") {
  // Comments may cite a source; code, names and strings may not.
  static const std::regex names(
      "whisper|llama|qwen|gemma|mistral|distilbert|marian|segformer|yolos|mobilenet|wav2vec",
      std::regex::icase);
  for (const char *folder : {"runtime", "shaders"})
    for (const auto &entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path());
      int number = 0;
      for (std::string line; std::getline(in, line);) {
        ++number;
        const size_t comment = std::min({line.find("//"), line.find("/*"), line.find(" * "), line.find('#')});
        INFO(entry.path().string(), ":", number, ": ", line);
        const std::string code = line.substr(0, comment);
        CHECK_FALSE(std::regex_search(code, names));
      }
    }
}
