#include "bundled_models.h"
#include "console.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

namespace tool {
namespace {

namespace fs = std::filesystem;

constexpr const char *kSpeech = "speech-en", *kEnding = ".fovea.gguf";

std::array<fs::path, 2> model_folders() {
  std::error_code ignored;
  const fs::path tool = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return {tool / "models", tool / "../share/fovea/models"};
}

/// The first bytes of a file; of pipes nothing is read.
std::string first_bytes(const std::string &path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  std::array<char, 4> bytes{};
  std::ifstream(path, std::ios::binary).read(bytes.data(), bytes.size());
  return {bytes.begin(), bytes.end()};
}

bool is_recording(const std::string &path) {
  const std::string head = first_bytes(path);
  for (const char *kind : {"RIFF", "fLaC", "OggS", "FORM", "ID3"})
    if (head.rfind(kind, 0) == 0) return true;
  // A frame of MPEG audio, any version: eleven bits set; layer III.
  return head.size() > 1 && head[0] == '\xFF' && (static_cast<unsigned char>(head[1]) & 0xE6U) == 0xE2U;
}

bool is_model(const std::string &name) {
  return first_bytes(find_model(name)) == "GGUF" || fs::path(name).extension() == ".gguf";
}

} // namespace

std::string find_model(const std::string &name) {
  std::error_code error;
  if (name.empty() || name.find('/') != std::string::npos || fs::exists(name, error)) return name;
  for (const fs::path &folder : model_folders()) {
    const fs::path path = folder / (name + kEnding);
    if (fs::exists(path, error)) return path.string();
  }
  return name;
}

std::vector<std::string> bundled_speech_models() {
  std::set<std::string> names;
  std::error_code error;
  for (const fs::path &folder : model_folders())
    for (const auto &file : fs::directory_iterator(folder, error)) {
      const std::string name = file.path().filename().string();
      if (name.starts_with("speech-") && name.ends_with(kEnding))
        names.insert(name.substr(0, name.size() - std::string(kEnding).size()));
    }
  return {names.begin(), names.end()};
}

void default_speech_model(std::string &model, std::vector<std::string> &recordings, bool microphone) {
  const bool is_alone = recordings.empty() && !microphone;
  if (model.empty() ? !microphone : is_alone ? is_model(model) : !is_recording(model)) return;
  const std::string bundled = find_model(kSpeech);
  if (bundled == kSpeech) throw UsageError("MODEL missing, and no speech model is installed with the tool");
  if (!model.empty()) recordings.insert(recordings.begin(), model);
  model = bundled;
}

} // namespace tool
