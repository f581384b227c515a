#include "layers/support.h"

#include "models/golden.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"
#include "support/tiny_speech_model.h"
#include "tasks/generate.h"
#include "tasks/transcribe.h"

#include <cmath>
#include <cstdlib>

namespace fovea::test {
namespace {

std::vector<float> tone(size_t n_samples) {
  std::vector<float> samples(n_samples);
  for (size_t i = 0; i < n_samples; ++i) samples[i] = 0.3f * std::sin(float(i) * 0.07f);
  return samples;
}

/// Written once, and gone with the process.
const std::string &model_path(const char *name, const std::function<void(const std::string &)> &write) {
  static const TempFolder folder;
  static std::map<std::string, std::string> known;
  std::string &path = known[name];
  if (path.empty()) {
    path = folder / (std::string(name) + ".gguf");
    write(path);
  }
  return path;
}

vk::DeviceOptions options(const std::string &cache_folder) {
  vk::DeviceOptions o;
  o.cache_folder = cache_folder;
  o.tuning = false;
  return o;
}

std::vector<int32_t> transcribe(const std::shared_ptr<vk::Device> &device, const std::string &path,
                                WeightPlacement placement, bool timestamps, size_t n_samples) {
  const auto model = Model::open(path);
  const auto weights = DeviceWeights::load(device, model, placement);
  TranscriberOptions how;
  how.timestamps = timestamps;
  Transcriber transcriber(device, model, weights, how);
  TranscribeOptions what;
  what.temperatures = {0};
  what.no_speech_threshold.reset();
  what.max_tokens_per_window = 8;
  const Transcript t = transcriber.transcribe(tone(n_samples), what);
  std::vector<int32_t> ids;
  for (const TranscriptSegment &s : t.segments) ids.insert(ids.end(), s.tokens.begin(), s.tokens.end());
  if (timestamps) (void)transcriber.profile();
  return ids;
}

const std::string &speech_path() {
  return model_path("speech", [](const std::string &path) { write_tiny_speech_model(path); });
}

const std::string &letters_path() {
  return model_path("letters", [](const std::string &path) { write_tiny_ctc_model(path); });
}

} // namespace

std::shared_ptr<vk::Device> open_device(const std::string &cache_folder) {
  return vk::Device::open(options(cache_folder));
}

Scenario speech_scenario() {
  return {"speech, pages imported", [] {
            const TempFolder cache; // with a cache on disk, new each time
            return transcribe(open_device(cache.path()), speech_path(), WeightPlacement::Automatic, false,
                              8000);
          }};
}

Scenario letters_scenario(const std::string &cache_folder) {
  return {"letters, weights copied", [cache_folder] {
            return transcribe(open_device(cache_folder), letters_path(), WeightPlacement::Copy, false, 3000);
          }};
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all = {speech_scenario()};
  all.push_back({"letters, weights staged, timed", [] {
                   vk::DeviceOptions o = options("");
                   o.adjust_caps = [](DeviceCaps &caps) { caps.unified_memory = false; };
                   return transcribe(vk::Device::open(o), letters_path(), WeightPlacement::Copy, true, 3000);
                 }});
  all.push_back(letters_scenario());
  const std::string folder = shared_path("golden/cases/llama");
  if (folder.empty()) return all;
  all.push_back({"text", [folder] {
                   const std::string &path = model_path("text", [&](const std::string &at) {
                     convert(folder, at, {Encoding::Q8, 0, {}, false});
                   });
                   const auto device = open_device();
                   const auto model = Model::open(path);
                   Generator generator(device, model, DeviceWeights::load(device, model), {});
                   GenerateOptions what;
                   what.max_tokens = 4;
                   what.ignore_end = true;
                   return generator.generate(std::vector<int32_t>{5, 9, 17, 3}, what).tokens;
                 }});
  return all;
}

} // namespace fovea::test
