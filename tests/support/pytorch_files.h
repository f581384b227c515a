// Writers of small PyTorch checkpoints for tests, from the formats' descriptions alone: pickles by opcode,
// zip files of stored entries (zip64 on request), the format before 1.6.
#pragma once

#include "tests/support/source_files.h"

namespace fovea::test {

// Pickle opcodes.
inline std::string pickled_text(const std::string &text) {
  return concat("X", raw(uint32_t(text.size())), text);
}
inline std::string pickled_int(int64_t value) {
  return value >= 0 && value < 256 ? concat("K", raw(uint8_t(value))) : concat("J", raw(int32_t(value)));
}
inline std::string pickled_tuple(const std::vector<int64_t> &values) {
  std::string out = "(";
  for (const int64_t v : values) out += pickled_int(v);
  return out + "t";
}
inline std::string pickled_global(const std::string &module, const std::string &name) {
  return concat("c", module, "\n", name, "\n");
}
inline std::string pickle(const std::string &body) { return concat("\x80\2", body, "."); }

struct TorchStorage {
  std::string key, type; // "FloatStorage"
  int64_t elements;
  std::string bytes;
};
struct TorchTensor {
  std::string name;
  TorchStorage storage;
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
};

inline std::string pickled_tensor(const TorchTensor &t, bool legacy = false) {
  const std::string id = std::string("(") + pickled_text("storage") +
                         pickled_global("torch", t.storage.type) + pickled_text(t.storage.key) +
                         pickled_text("cpu") + pickled_int(t.storage.elements) + (legacy ? "Nt" : "t") + "Q";
  return pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + id + pickled_int(t.offset) +
         pickled_tuple(t.shape) + pickled_tuple(t.strides) + "\x89" +
         pickled_global("collections", "OrderedDict") + ")RtR";
}

/// An OrderedDict of tensors with the attribute _metadata, as state_dict() gives it.
inline std::string pickled_state_dict(const std::vector<TorchTensor> &tensors, bool legacy = false) {
  std::string out = pickled_global("collections", "OrderedDict") + ")Rq" + raw(uint8_t(0)) + "(";
  for (const TorchTensor &t : tensors) out += pickled_text(t.name) + pickled_tensor(t, legacy);
  return out + "u}" + pickled_text("_metadata") + pickled_global("collections", "OrderedDict") + ")Rsb";
}

struct ZipFileEntry {
  std::string name, bytes;
  uint16_t method = 0;
};

inline std::string zip(const std::vector<ZipFileEntry> &entries, bool zip64 = false) {
  std::string out, directory;
  const uint32_t unknown = 0xFFFFFFFF;
  for (const ZipFileEntry &e : entries) {
    const uint64_t at = out.size(), n = e.bytes.size();
    const auto size = [&](uint64_t value) { return raw(zip64 ? unknown : uint32_t(value)); };
    const std::string moment = raw(uint32_t(0)), crc = raw(uint32_t(0));
    const auto numbers = [&] {
      return raw(uint16_t(0)) + raw(e.method) + moment + crc + size(n) + size(n) +
             raw(uint16_t(e.name.size()));
    };
    const std::string sizes = zip64 ? raw(uint16_t(1)) + raw(uint16_t(16)) + raw(n) + raw(n) : "";
    const std::string offsets = zip64 ? raw(uint16_t(1)) + raw(uint16_t(24)) + raw(n) + raw(n) + raw(at) : "";
    out += raw(uint32_t(0x04034b50)) + raw(uint16_t(45)) + numbers() + raw(uint16_t(sizes.size())) + e.name +
           sizes + e.bytes;
    directory += raw(uint32_t(0x02014b50)) + raw(uint16_t(45)) + raw(uint16_t(45)) + numbers() +
                 raw(uint16_t(offsets.size())) + raw(uint16_t(0)) + raw(uint16_t(0)) + raw(uint16_t(0)) +
                 raw(uint32_t(0)) + size(at) + e.name + offsets;
  }
  const uint64_t start = out.size(), count = entries.size();
  out += directory;
  if (zip64) {
    const uint64_t end = out.size();
    out += raw(uint32_t(0x06064b50)) + raw(uint64_t(44)) + raw(uint16_t(45)) + raw(uint16_t(45)) +
           raw(uint32_t(0)) + raw(uint32_t(0)) + raw(count) + raw(count) + raw(uint64_t(directory.size())) +
           raw(start);
    out += raw(uint32_t(0x07064b50)) + raw(uint32_t(0)) + raw(end) + raw(uint32_t(1));
  }
  return out + raw(uint32_t(0x06054b50)) + raw(uint32_t(0)) + raw(uint16_t(zip64 ? 0xFFFF : count)) +
         raw(uint16_t(zip64 ? 0xFFFF : count)) + raw(zip64 ? unknown : uint32_t(directory.size())) +
         raw(zip64 ? unknown : uint32_t(start)) + raw(uint16_t(0));
}

/// A checkpoint of the pickle `body` with the tensors' storages.
inline std::string pytorch_zip(const std::string &body, const std::vector<TorchTensor> &tensors,
                               bool zip64 = false) {
  std::vector<ZipFileEntry> entries = {
      {"m/data.pkl", pickle(body)}, {"m/byteorder", "little"}, {"m/version", "3\n"}};
  std::string seen = ",";
  for (const TorchTensor &t : tensors) {
    if (seen.find(concat(",", t.storage.key, ",")) != std::string::npos) continue;
    seen += t.storage.key + ",";
    entries.push_back({concat("m/data/", t.storage.key), t.storage.bytes});
  }
  return zip(entries, zip64);
}
inline std::string pytorch_zip(const std::vector<TorchTensor> &tensors, bool zip64 = false) {
  return pytorch_zip(pickled_state_dict(tensors), tensors, zip64);
}

/// The format before 1.6.
inline std::string pytorch_legacy(const std::vector<TorchTensor> &tensors) {
  std::string keys = "](", storages, seen = ",";
  for (const TorchTensor &t : tensors) {
    if (seen.find(concat(",", t.storage.key, ",")) != std::string::npos) continue;
    seen += t.storage.key + ",";
    keys += pickled_text(t.storage.key);
    storages += raw(t.storage.elements) + t.storage.bytes;
  }
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
         pickle(concat("M", raw(uint16_t(1001)))) +
         pickle("}(" + pickled_text("protocol_version") + "M" + raw(uint16_t(1001)) +
                pickled_text("little_endian") + "\x88u") +
         pickle(pickled_state_dict(tensors, true)) + pickle(keys + "e") + storages;
}

} // namespace fovea::test
