// A writer of small GGUF files as llama.cpp's tools make them: independent of the reader and of Fovea's own
// writer.
#pragma once

#include "tests/support/source_files.h"

namespace fovea::test {

inline std::string gguf_text(const std::string &text) { return raw(uint64_t(text.size())) + text; }

struct GgufFileTensor {
  std::string name;
  std::vector<uint64_t> shape; // outermost first
  uint32_t type;               // ggml's number
  std::string bytes;
};

struct GgufFile {
  std::vector<std::string> metadata; // whole entries
  std::vector<GgufFileTensor> tensors;
  uint32_t version = 3;
  uint64_t alignment = 32;

  void add(const std::string &key, uint32_t value) { entry(key, 4, raw(value)); }
  void add(const std::string &key, float value) { entry(key, 6, raw(value)); }
  void add(const std::string &key, bool value) { entry(key, 7, raw(uint8_t(value))); }
  void add(const std::string &key, const char *value) { entry(key, 8, gguf_text(value)); }
  void add(const std::string &key, const std::vector<std::string> &values) {
    std::string payload = raw(uint32_t(8)) + raw(uint64_t(values.size()));
    for (const std::string &value : values) payload += gguf_text(value);
    entry(key, 9, payload);
  }
  void entry(const std::string &key, uint32_t type, const std::string &payload) {
    metadata.push_back(gguf_text(key) + raw(type) + payload);
  }
  void add_f32(const std::string &name, std::vector<uint64_t> shape, const std::vector<float> &values) {
    tensors.push_back({name, std::move(shape), 0, raw(values)});
  }

  std::string bytes() const {
    const auto padded = [&](std::string text) {
      text.resize((text.size() + alignment - 1) / alignment * alignment);
      return text;
    };
    std::string out =
        std::string("GGUF") + raw(version) + raw(uint64_t(tensors.size())) + raw(uint64_t(metadata.size()));
    for (const std::string &e : metadata) out += e;
    std::string data;
    for (const GgufFileTensor &t : tensors) {
      out += gguf_text(t.name) + raw(uint32_t(t.shape.size()));
      for (size_t i = t.shape.size(); i-- > 0;) out += raw(t.shape[i]);
      out += raw(t.type) + raw(uint64_t(data.size()));
      data = padded(data + t.bytes);
    }
    return padded(out) + data;
  }
};

} // namespace fovea::test
