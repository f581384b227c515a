#include "converter/json.h"
#include "converter/sources/formats.h"
#include "converter/sources/safetensors.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

constexpr const char *kSingle = "model.safetensors";
constexpr const char *kIndex = "model.safetensors.index.json";

/// A shard's name comes from a stranger's file: it may only name a file in the same folder.
void check_shard_name(const std::string &name, const std::string &index) {
  if (name.empty() || name[0] == '.' ||
      name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos ||
      !name.ends_with(".safetensors"))
    fail(ErrorCode::InvalidFile, index, ": weight_map names '", printable(name),
         "', expected the name of a .safetensors file in this folder");
}

void add_shards(Source &source, const std::string &index) {
  const Config config = Config::parse(InputFile(index).text(64 << 20), index);
  const Json *map = config.find("weight_map");
  if (!map || !map->is_object() || map->empty())
    fail(ErrorCode::InvalidFile, index, ": 'weight_map' is missing, empty or not an object");
  std::map<std::string, uint32_t> files; // shard → index in the source
  for (const auto &[tensor, shard] : map->items()) {
    if (!shard.is_string())
      fail(ErrorCode::InvalidFile, index, ": weight_map of '", printable(tensor), "' is not a file name");
    check_shard_name(shard.get<std::string>(), index);
    files.emplace(shard.get<std::string>(), 0);
  }
  uint32_t n_files = 0;
  for (auto &[shard, file] : files) {
    file = n_files++;
    add_safetensors(source, InputFile(source.text_path(shard)));
  }
  source.finish();
  for (const auto &[tensor, shard] : map->items()) {
    const SourceTensor *found = source.find(tensor);
    if (!found || found->file != files.at(shard.get<std::string>()))
      fail(ErrorCode::InvalidFile, index, ": tensor '", printable(tensor), "' is not in ",
           shard.get<std::string>());
  }
}

} // namespace

Source open_hugging_face(const std::string &path) {
  Source source(path, "Hugging Face folder");
  source.texts_in_folder();
  const auto has = [&](const char *name) { return std::filesystem::exists(source.text_path(name)); };
  if (!has("config.json"))
    fail(ErrorCode::Unsupported, path,
         ": a folder without config.json; give the folder of a Hugging Face model");
  if (has(kSingle)) {
    add_safetensors(source, InputFile(source.text_path(kSingle)));
    source.finish();
  } else if (has(kIndex)) {
    add_shards(source, source.text_path(kIndex));
  } else {
    const bool pickle = has("pytorch_model.bin") || has("pytorch_model.bin.index.json");
    fail(ErrorCode::Unsupported, path, ": no ", kSingle, " or ", kIndex, " in the folder",
         pickle
             ? "; it holds a PyTorch pickle: save it again with save_pretrained(…, safe_serialization=True)"
             : "");
  }
  return source;
}

} // namespace fovea
