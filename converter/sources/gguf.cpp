// open_gguf(): llama.cpp's files, single or split, as if they were the Hugging Face folders they were made
// from.
#include "converter/sources/formats.h"
#include "converter/sources/gguf_names.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr const char *kRopeFactors = "rope_freqs.weight";

/// All files of a split model, in order, from the path of any: "…-00001-of-00003.gguf".
std::vector<std::string> split_paths(const std::string &path, uint32_t count) {
  constexpr size_t kTail = sizeof("-00001-of-00003.gguf") - 1;
  const auto digits = [](uint32_t value) {
    std::string out = concat(value);
    return std::string(5 - std::min<size_t>(5, out.size()), '0') + out;
  };
  const std::string end = concat("-of-", digits(count), ".gguf");
  if (count > 99999 || path.size() <= kTail || !path.ends_with(end))
    fail(ErrorCode::InvalidFile, path, ": one of ", count, " files of a model, but not named like …-00001",
         end);
  std::vector<std::string> out;
  for (uint32_t i = 1; i <= count; ++i)
    out.push_back(concat(path.substr(0, path.size() - kTail), "-", digits(i), end));
  return out;
}

/// Rows i and i + half of each head are stored side by side.
SourceLayout deinterleaved(const SourceTensor &t, uint32_t heads, const std::string &path) {
  const uint64_t rows = t.shape.dim(0), row = t.shape.rank() == 1 ? 1 : t.shape.row();
  if (heads == 0 || t.shape.rank() > 2 || rows % (2 * uint64_t(heads)) != 0)
    fail(ErrorCode::InvalidFile, path, ": tensor '", t.name, "' ", t.shape, " is not of ", heads, " heads");
  const uint64_t half = rows / heads / 2;
  return {{heads, 2, half, row}, {2 * half * row, row, 2 * row, 1}};
}

std::vector<float> rope_factors(const GgufHeader &header, const InputFile &file) {
  for (const SourceTensor &t : header.tensors()) {
    if (t.name != kRopeFactors) continue;
    if (t.type != SourceType::F32 || t.shape.elements() > 4096)
      fail(ErrorCode::Unsupported, header.path(), ": tensor '", t.name, "' is ", t.type, " ", t.shape);
    std::vector<float> out(t.shape.elements());
    file.read_at(t.offset, std::as_writable_bytes(std::span(out)));
    return out;
  }
  return {};
}

GgufVocabulary gguf_vocabulary(const GgufHeader &header) {
  const auto key = [](const char *name) { return concat("tokenizer.ggml.", name); };
  const auto strings = [&](const char *name) {
    const auto views =
        header.find<std::vector<std::string_view>>(key(name)).value_or(std::vector<std::string_view>());
    return std::vector<std::string>(views.begin(), views.end());
  };
  const auto id = [&](const char *name) { return header.find<int32_t>(key(name)).value_or(-1); };
  GgufVocabulary out;
  out.model = header.find<std::string_view>(key("model")).value_or("");
  out.pre = header.find<std::string_view>(key("pre")).value_or("");
  out.tokens = strings("tokens");
  out.scores = header.find<std::vector<float>>(key("scores")).value_or(std::vector<float>());
  out.types = header.find<std::vector<int32_t>>(key("token_type")).value_or(std::vector<int32_t>());
  out.merges = strings("merges");
  out.bos = id("bos_token_id");
  out.eos = id("eos_token_id");
  out.unknown = id("unknown_token_id");
  out.pad = id("padding_token_id");
  out.add_bos = header.find<bool>(key("add_bos_token"));
  out.add_eos = header.find<bool>(key("add_eos_token"));
  out.prefix_space = header.find<bool>(key("add_space_prefix"));
  return out;
}

} // namespace

Source open_gguf(InputFile given) {
  const std::string path = given.path();
  GgufHeader header(given);
  const uint32_t count = header.find<uint32_t>("split.count").value_or(0);
  std::vector<InputFile> files;
  if (count > 1) {
    for (const std::string &part : split_paths(path, count)) files.emplace_back(part);
    header = GgufHeader(files[0]); // only the first has all metadata
  } else {
    files.push_back(std::move(given));
  }
  const GgufFamily &family = gguf_family(header);
  const std::vector<float> factors = rope_factors(header, files[0]);
  Source source(path, "GGUF file");
  std::vector<std::string> names;
  std::vector<SourceTensor> tensors;
  for (InputFile &file : files) {
    std::optional<GgufHeader> other;
    const GgufHeader &contents = &file == files.data() ? header : other.emplace(file);
    if (const auto n = contents.find<uint32_t>("split.count"); count > 1 && n != count)
      fail(ErrorCode::InvalidFile, file.path(), ": one of ", n.value_or(1), " files, expected ", count);
    const uint32_t index = source.add_file(std::move(file));
    for (SourceTensor t : contents.tensors()) {
      if (t.name.starts_with("rope_freqs") || t.name.ends_with("attn_rot_embd.weight"))
        continue; // in config.json
      names.push_back(t.name);
      t.file = index;
      tensors.push_back(std::move(t));
    }
  }
  const Json config = gguf_config(header, family, factors, names);
  for (SourceTensor &t : tensors) {
    if (family.interleaved && t.name.find(".attn_q.") != std::string::npos)
      t.layout = deinterleaved(t, config["num_attention_heads"], path);
    if (family.interleaved && t.name.find(".attn_k.") != std::string::npos)
      t.layout = deinterleaved(t, config["num_key_value_heads"], path);
    t.name = hugging_face_name(t.name, family);
    if (family.gemma && t.name.ends_with("norm.weight")) t.shift = -1;
    source.add_tensor(std::move(t));
  }
  source.add_text("config.json", config.dump());
  if (header.has("tokenizer.ggml.tokens")) source.set_vocabulary(gguf_vocabulary(header));
  source.finish();
  return source;
}

} // namespace fovea
