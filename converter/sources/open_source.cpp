#include "converter/sources/formats.h"
#include "converter/sources/pytorch.h"

#include <cstring>
#include <filesystem>

namespace fovea {
namespace {

/// What `path` is, from its first bytes.
struct Peek {
  bool folder = false;
  std::string head; // the first bytes of a file, up to 16
  bool starts_with(std::string_view bytes, size_t at = 0) const {
    return head.size() > at && std::string_view(head).substr(at).starts_with(bytes);
  }
};

struct Format {
  bool (*matches)(const Peek &);
  Source (*open)(const std::string &path);
};
constexpr Format kFormats[] = {
    {[](const Peek &p) { return p.folder; }, open_hugging_face},
    {[](const Peek &p) { return p.starts_with("lmgg"); },
     [](const std::string &path) { return open_whisper_ggml(InputFile(path)); }},
    {[](const Peek &p) { return p.starts_with("GGUF"); },
     [](const std::string &path) { return open_gguf(InputFile(path)); }},
    {[](const Peek &p) { return p.starts_with("{", 8) || is_pytorch(p.head); }, open_weights_file},
};

/// Formats that people have and this build cannot read: what to do instead.
struct Advice {
  std::string_view head;
  const char *text;
};
constexpr Advice kAdvice[] = {
    {"\x08", "perhaps an ONNX file; give the Hugging Face folder that it was exported from"},
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
    if (found.starts_with(advice.head)) fail(ErrorCode::Unsupported, path, ": ", advice.text);
  fail(ErrorCode::Unsupported, path,
       ": not a model that fovea convert reads (a Hugging Face folder, a GGUF file, or whisper.cpp's ggml "
       ".bin)");
}

} // namespace fovea
