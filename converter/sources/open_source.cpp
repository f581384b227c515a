#include "converter/sources/formats.h"

#include <cstring>
#include <filesystem>

namespace fovea {
namespace {

/// What `path` is, from its first bytes.
struct Peek {
  bool folder = false;
  std::string head; // the first bytes of a file, up to 16
  bool starts_with(std::string_view bytes) const { return std::string_view(head).starts_with(bytes); }
};

struct Format {
  bool (*matches)(const Peek &);
  Source (*open)(const std::string &path);
};
constexpr Format kFormats[] = {
    {[](const Peek &p) { return p.folder; }, open_hugging_face},
    {[](const Peek &p) { return p.starts_with("lmgg"); }, open_whisper_ggml},
};

/// Formats that people have and this build cannot read: what to do instead.
struct Advice {
  std::string_view head;
  size_t at;
  const char *text;
};
constexpr Advice kAdvice[] = {
    {"GGUF", 0, "a GGUF file; give the Hugging Face folder that it was made from"},
    {"PK\3\4", 0,
     "a zip file, perhaps a PyTorch checkpoint; give a Hugging Face folder with model.safetensors"},
    {"\x80\2", 0, "a PyTorch pickle; give a Hugging Face folder with model.safetensors"},
    {"{", 8, "a safetensors file; give the folder that holds it and its config.json"},
    {"\x08", 0, "perhaps an ONNX file; give the Hugging Face folder that it was exported from"},
};

Peek peek(const std::string &path) {
  Peek out;
  out.folder = std::filesystem::is_directory(path);
  if (out.folder) return out;
  const InputFile file(path);
  if (file.size_bytes() == 0) fail(ErrorCode::InvalidFile, path, ": the file is empty");
  out.head.resize(std::min<uint64_t>(16, file.size_bytes()));
  file.read_at(0, std::as_writable_bytes(std::span(out.head.data(), out.head.size())));
  return out;
}

} // namespace

Source open_source(const std::string &path) {
  const Peek found = peek(path);
  for (const Format &format : kFormats)
    if (format.matches(found)) return format.open(path);
  for (const Advice &advice : kAdvice)
    if (found.head.size() > advice.at &&
        std::string_view(found.head).substr(advice.at).starts_with(advice.head))
      fail(ErrorCode::Unsupported, path, ": ", advice.text);
  fail(ErrorCode::Unsupported, path,
       ": not a model that fovea convert reads (a Hugging Face folder, or whisper.cpp's ggml .bin)");
}

} // namespace fovea
