// A published tokenizer as a user of the flat file gets it: converted, written, opened and loaded again.
#pragma once

#include "converter/json.h"
#include "converter/tokenizers/tokenizer.h"
#include "format/gguf_writer.h"
#include "support/temp_folder.h"
#include "tasks/load_tokenizer.h"

#include <doctest/doctest.h>
#include <fstream>

namespace fovea::test {

inline Json read_json(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  return Json::parse(file);
}

/// How many ids a tokenizer.json names.
inline uint32_t vocabulary_of(const Json &file) {
  const Json &vocab = file["model"]["vocab"];
  uint32_t n = vocab.is_array() ? uint32_t(vocab.size()) : 0;
  if (vocab.is_object())
    for (const auto &[token, id] : vocab.items()) n = std::max(n, id.get<uint32_t>() + 1);
  for (const Json &token : file["added_tokens"]) n = std::max(n, token["id"].get<uint32_t>() + 1);
  return n;
}

inline Source folder_source(const std::string &folder) {
  Source source(folder, "Hugging Face folder");
  source.texts_in_folder();
  return source;
}

inline Tokenizer load_through_file(const TokenizerData &data) {
  ModelPlan plan;
  add_tokenizer_metadata(data, plan);
  const TempFolder folder;
  const std::string path = folder / "tokenizer.gguf";
  GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  for (const auto &[key, value] : plan.metadata) writer.add(key, value);
  writer.add_tensor("t", {{32}, Encoding::F32});
  writer.write(std::vector<std::byte>(128));
  writer.commit();
  return load_tokenizer(ModelFile(path), uint32_t(data.tokens.size()));
}

/// The tokenizer of a folder with a tokenizer.json.
inline Tokenizer load_folder(const std::string &folder) {
  const uint32_t n = vocabulary_of(read_json(folder + "/tokenizer.json"));
  return load_through_file(read_tokenizer(folder_source(folder), n).value());
}

} // namespace fovea::test
