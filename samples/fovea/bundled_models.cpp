#include "bundled_models.h"
#include "console.h"

#include <array>
#include <filesystem>
#include <fstream>

namespace tool {
namespace {

namespace fs = std::filesystem;

constexpr const char *kSpeech = "speech-en";

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
  const fs::path tool = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path &folder : {tool / "models", tool / "../share/fovea/models"}) {
    const fs::path path = folder / (name + ".fovea.gguf");
    if (fs::exists(path, error)) return path.string();
  }
  return name;
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
