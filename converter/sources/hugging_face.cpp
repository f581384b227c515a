#include "converter/json.h"
#include "converter/sources/formats.h"
#include "converter/sources/pytorch.h"
#include "converter/sources/safetensors.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

/// How a folder's weights may be stored: one file, or shards that an index lists.
struct Weights {
  const char *single, *index, *extension;
  void (*add)(Source &source, InputFile file);
};
constexpr Weights kWeights[] = {
    {"model.safetensors", "model.safetensors.index.json", ".safetensors", add_safetensors},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", ".bin", add_pytorch}};

/// A shard's name comes from a stranger's file: it may only name a file in the same folder.
void check_shard_name(const std::string &name, std::string_view extension, const std::string &index) {
  if (name.empty() || name[0] == '.' ||
      name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || !name.ends_with(extension))
    fail(ErrorCode::InvalidFile, index, ": weight_map names '", printable(name), "', expected the name of a ",
         extension, " file in this folder");
}

void add_shards(Source &source, const Weights &weights, const std::string &index) {
  const auto shards = read_weight_map(InputFile(index).text(64 << 20), index, weights.extension);
  std::map<std::string, uint32_t> files; // shard → index in the source
  for (const auto &[tensor, shard] : shards) files.emplace(shard, 0);
  uint32_t n_files = 0;
  for (auto &[shard, file] : files) {
    file = n_files++;
    weights.add(source, InputFile(source.text_path(shard)));
  }
  source.finish();
  for (const auto &[tensor, shard] : shards) {
    const SourceTensor *found = source.find(tensor);
    if (!found || found->file != files.at(shard))
      fail(ErrorCode::InvalidFile, index, ": tensor '", printable(tensor), "' is not in ", shard);
  }
}

Source folder(const std::string &path) {
  Source source(path, "Hugging Face folder");
  source.texts_in_folder();
  if (!std::filesystem::exists(source.text_path("config.json")))
    fail(ErrorCode::Unsupported, path,
         ": a folder without config.json; give the folder of a Hugging Face model");
  return source;
}

} // namespace

std::map<std::string, std::string> read_weight_map(std::string_view text, const std::string &path,
                                                   std::string_view extension) {
  const Config config = Config::parse(text, path);
  const Json *map = config.find("weight_map");
  if (!map || !map->is_object() || map->empty())
    fail(ErrorCode::InvalidFile, path, ": 'weight_map' is missing, empty or not an object");
  std::map<std::string, std::string> out;
  for (const auto &[tensor, shard] : map->items()) {
    if (!shard.is_string())
      fail(ErrorCode::InvalidFile, path, ": weight_map of '", printable(tensor), "' is not a file name");
    check_shard_name(shard.get<std::string>(), extension, path);
    out.emplace(tensor, shard.get<std::string>());
  }
  return out;
}

Source open_hugging_face(const std::string &path) {
  Source source = folder(path);
  std::string looked_for;
  for (const Weights &weights : kWeights) {
    if (std::filesystem::exists(source.text_path(weights.single))) {
      weights.add(source, InputFile(source.text_path(weights.single)));
      source.finish();
      return source;
    }
    if (std::filesystem::exists(source.text_path(weights.index))) {
      add_shards(source, weights, source.text_path(weights.index));
      return source;
    }
    looked_for += concat(looked_for.empty() ? "" : ", ", weights.single, ", ", weights.index);
  }
  fail(ErrorCode::Unsupported, path, ": no weights in the folder (looked for ", looked_for, ")");
}

Source open_weights_file(const std::string &path) {
  const std::filesystem::path file(path);
  const std::string name = file.filename(), parent = file.parent_path().empty() ? "." : file.parent_path();
  Source source = folder(parent);
  if (name.find("-of-") != std::string::npos) return open_hugging_face(parent); // one shard of several
  std::string head(std::min<uint64_t>(4, InputFile(path).size_bytes()), '\0');
  InputFile(path).read_at(0, std::as_writable_bytes(std::span(head.data(), head.size())));
  (is_pytorch(head) ? add_pytorch : add_safetensors)(source, InputFile(path));
  source.finish();
  return source;
}

} // namespace fovea
