// pack_kernels SPIRV_FOLDER NAMES OUTPUT [SELECTION]: writes packed_kernels()
// (runtime/kernels/packed_kernels.h) as C++. NAMES lists all kernels, one a line, in the order of KernelId;
// each is SPIRV_FOLDER/NAME.spv. SELECTION, of lines "kernel NAME" among others, keeps these only. Runs while
// the library is built.
//
// Variants of a kernel are alike, so that one of them is the dictionary of the others; a dictionary has none
// itself, and unpacking a kernel takes two steps at most.
#include "base/error.h"
#include "kernels/packed_kernels.h"
#include "kernels/spirv_codec.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

using namespace fovea;

namespace {

constexpr uint32_t kOpCapability = 17, kCapabilityGroupNonUniform = 61;
constexpr size_t kDictionaries = 4; // of the most alike, that are tried

std::string read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) fail(ErrorCode::Io, path, ": cannot be read");
  return text;
}

std::vector<std::string> lines_of(const std::string &path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  if (!in) fail(ErrorCode::Io, path, ": cannot be read");
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

/// What the lines "kernel NAME" name. Error InvalidFile for one that there is not.
std::set<std::string> selection(const std::string &path, const std::vector<std::string> &names) {
  constexpr std::string_view kPrefix = "kernel ";
  std::set<std::string> kept;
  for (const std::string &line : lines_of(path)) {
    if (!line.starts_with(kPrefix)) continue;
    const std::string name = line.substr(kPrefix.size());
    if (std::find(names.begin(), names.end(), name) == names.end())
      fail(ErrorCode::InvalidFile, path, ": there is no kernel '", name, "' in shaders/CMakeLists.txt");
    kept.insert(name);
  }
  return kept;
}

std::vector<uint32_t> words_in(const std::string &path) {
  const std::string file = read(path);
  std::vector<uint32_t> words(file.size() / 4);
  std::memcpy(words.data(), file.data(), words.size() * 4);
  return words;
}

bool has_subgroups(std::span<const uint32_t> words) {
  for (size_t at = 5; at + 1 < words.size() && (words[at] & 0xFFFF) == kOpCapability; at += words[at] >> 16)
    if (words[at + 1] == kCapabilityGroupNonUniform) return true;
  return false;
}

/// How alike two streams are: the runs of eight bytes that occur in both.
class Traits {
public:
  explicit Traits(Bytes stream) {
    for (size_t i = 0; i + 8 <= stream.size(); ++i) {
      uint64_t run;
      std::memcpy(&run, &stream[i], 8);
      runs_.push_back(run);
    }
    std::sort(runs_.begin(), runs_.end());
    runs_.erase(std::unique(runs_.begin(), runs_.end()), runs_.end());
  }
  size_t common(const Traits &other) const {
    size_t n = 0;
    for (auto a = runs_.begin(), b = other.runs_.begin(); a != runs_.end() && b != other.runs_.end();) {
      n += *a == *b;
      if (*a < *b)
        ++a;
      else
        ++b;
    }
    return n;
  }

private:
  std::vector<uint64_t> runs_;
};

class Packer {
public:
  void add_nothing() { rows_.push_back({}); }
  void add(const std::string &name, const std::vector<uint32_t> &words) {
    for (const uint32_t word : words)
      for (int shift = 0; shift < 32; shift += 8) hash_ = (hash_ ^ (word >> shift & 0xFF)) * 0x100000001B3ull;
    const std::vector<uint8_t> stream = bytes_of(words);
    if (words_of(stream) != words) fail(ErrorCode::Internal, name, ": does not come back as it was");
    const auto [same, is_new] = same_.emplace(words, rows_.size());
    if (!is_new) return rows_.push_back(rows_[same->second]);

    PackedKernel row{uint32_t(bytes_.size()), 0, uint32_t(stream.size()), PackedKernel::kAlone,
                     has_subgroups(words)};
    Dictionary own{int32_t(rows_.size()), stream, Traits(stream)};
    std::vector<uint8_t> best = shorten(stream);
    const size_t alone = best.size();
    for (const Dictionary *d : most_alike(own.traits)) {
      std::vector<uint8_t> shorter = shorten(stream, d->stream);
      if (shorter.size() >= best.size()) continue;
      best = std::move(shorter);
      row.like = d->kernel;
    }
    // What gains little is worth more as a dictionary.
    if (best.size() * 5 > alone * 4) {
      best = shorten(stream);
      row.like = PackedKernel::kAlone;
    }
    const Bytes dictionary = row.like == PackedKernel::kAlone ? Bytes() : stream_of(row.like);
    if (lengthen(best, stream.size(), dictionary) != stream)
      fail(ErrorCode::Internal, name, ": does not come back as it was");
    row.bytes = uint32_t(best.size());
    bytes_.insert(bytes_.end(), best.begin(), best.end());
    rows_.push_back(row);
    if (row.like == PackedKernel::kAlone) dictionaries_.push_back(std::move(own));
  }

  std::string source() const {
    std::string text = "// Generated from shaders/CMakeLists.txt.\n#include \"kernels/kernel_id.h\"\n"
                       "#include \"kernels/packed_kernels.h\"\nnamespace fovea {\nnamespace {\n"
                       "constexpr PackedKernel kRows[] = {\n";
    for (const PackedKernel &r : rows_)
      text += concat("    {", r.offset, ", ", r.bytes, ", ", r.stream_bytes, ", ", r.like, ", ",
                     r.uses_subgroups, "},\n");
    text += "};\nstatic_assert(sizeof kRows / sizeof kRows[0] == kKernelCount);\nconstexpr uint8_t kBytes[] "
            "= {\n";
    for (size_t i = 0; i < bytes_.size(); ++i) text += concat(int(bytes_[i]), i % 32 == 31 ? ",\n" : ",");
    if (bytes_.empty()) text += "0";
    return text + concat("};\n} // namespace\nconst PackedKernels &packed_kernels() {\n"
                         "  static constexpr PackedKernels all{kRows, kBytes, ",
                         hash_, "u};\n  return all;\n}\n} // namespace fovea\n");
  }

private:
  struct Dictionary {
    int32_t kernel;
    std::vector<uint8_t> stream;
    Traits traits;
  };
  Bytes stream_of(int32_t kernel) const {
    return std::find_if(dictionaries_.begin(), dictionaries_.end(),
                        [&](const Dictionary &d) { return d.kernel == kernel; })
        ->stream;
  }
  std::vector<const Dictionary *> most_alike(const Traits &traits) const {
    std::multimap<size_t, const Dictionary *, std::greater<>> by_likeness;
    for (const Dictionary &d : dictionaries_) by_likeness.emplace(traits.common(d.traits), &d);
    std::vector<const Dictionary *> best;
    for (const auto &[likeness, d] : by_likeness)
      if (best.size() < kDictionaries) best.push_back(d);
    return best;
  }

  std::vector<PackedKernel> rows_;
  std::vector<uint8_t> bytes_;
  std::vector<Dictionary> dictionaries_;
  std::map<std::vector<uint32_t>, size_t> same_; // row of each module
  uint64_t hash_ = 0xCBF29CE484222325ull;
};

void run(const std::string &folder, const std::string &names_path, const std::string &output,
         const char *selection_path) {
  const std::vector<std::string> names = lines_of(names_path);
  const std::set<std::string> kept =
      selection_path ? selection(selection_path, names) : std::set<std::string>();
  Packer packer;
  for (const std::string &name : names) {
    if (selection_path && !kept.contains(name))
      packer.add_nothing();
    else
      packer.add(name, words_in(folder + "/" + name + ".spv"));
  }
  const std::string part = output + ".part";
  std::ofstream out(part, std::ios::binary);
  out << packer.source();
  out.close();
  if (!out) fail(ErrorCode::Io, part, ": cannot be written");
  std::filesystem::rename(part, output);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: pack_kernels SPIRV_FOLDER NAMES OUTPUT [SELECTION]\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : nullptr);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "pack_kernels: %s\n", e.what());
    return 1;
  }
  return 0;
}
