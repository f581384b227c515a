#include "models/golden.h"

#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>
#include <unistd.h>

namespace fovea::test {

double nmse(std::span<const float> got, std::span<const float> want) {
  REQUIRE(got.size() == want.size());
  double error = 0, power = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += (double(got[i]) - want[i]) * (double(got[i]) - want[i]);
    power += double(want[i]) * want[i];
  }
  return std::isnan(error) ? INFINITY : error / std::max(power, 1e-30);
}

Source open_safetensors(const std::string &path) {
  Source source(path, "safetensors file");
  add_safetensors(source, InputFile(path));
  source.finish();
  return source;
}

HostTensor read_safetensor(const Source &file, const std::string &name) {
  const SourceTensor *tensor = file.find(name);
  REQUIRE_MESSAGE(tensor, file.path(), " has no ", name);
  const bool integer = tensor->type == SourceType::I32 || tensor->type == SourceType::I64;
  HostTensor out({tensor->shape, integer ? Encoding::I32 : Encoding::F32});
  const std::vector<float> values = file.read(name);
  if (integer)
    out.i.assign(values.begin(), values.end()); // token ids are far below 2^24
  else
    out.f = values;
  return out;
}

std::shared_ptr<const Model> converted(const std::string &source, Encoding encoding, bool pure) {
  static std::map<std::tuple<std::string, Encoding, bool>, std::shared_ptr<const Model>> known;
  auto &model = known[{source, encoding, pure}];
  if (model) return model;
  const auto path =
      std::filesystem::temp_directory_path() / ("fovea_model_" + std::to_string(::getpid()) + ".gguf");
  convert(source, path.string(), {encoding, 0, {}, pure});
  model = Model::open(path.string());
  std::filesystem::remove(path); // the mapping keeps it
  return model;
}

void check_golden_case(const std::string &name) {
  if (const std::string folder = shared_path("golden/cases/" + name); !folder.empty())
    check_golden_folder(folder);
}

void check_golden_folder(const std::string &folder) {
  const std::string name = std::filesystem::path(folder).filename().string();
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  const auto without = [](const std::string &text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string();
  };
  RunRequest request;
  for (const SourceTensor &tensor : golden.tensors())
    if (const std::string input = without(tensor.name, "input."); !input.empty())
      request.inputs[input] = read_safetensor(golden, tensor.name);
  for (const SourceTensor &tensor : golden.tensors())
    if (tensor.name.find("attention.") != std::string::npos)
      request.offers.push_back(without(tensor.name, "output."));
  const auto model = converted(folder, Encoding::F32);
  Session session = make_session(model, session_sizes(*model, request));
  NamedTensors out = run_model(session, request);
  for (const SourceTensor &tensor : golden.tensors()) {
    const std::string output = without(tensor.name, "output.");
    const bool wanted = !output.empty() && output.find("hidden") == std::string::npos && output != "greedy" &&
                        output != "beam4";
    if (!wanted) continue;
    REQUIRE_MESSAGE(out.count(output) == 1, concat(name, ": no output ", output));
    const double error = nmse(out.at(output).f, read_safetensor(golden, tensor.name).f);
    MESSAGE(concat(name, " ", output, ": NMSE ", error));
    CHECK(error <= 1e-6);
  }
}

Session make_session(std::shared_ptr<const Model> model, Bindings sizes) {
  SessionOptions options;
  options.bindings = std::move(sizes);
  auto weights = DeviceWeights::load(test_device(), model);
  return Session(test_device(), std::move(model), std::move(weights), options);
}

} // namespace fovea::test
