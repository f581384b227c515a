#include "converter/sources/zip_entries.h"

#include "converter/sources/source.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kMaxEntries = 1 << 16, kMaxName = 255, kMaxComment = 65535;
constexpr uint64_t kEndBytes = 22, kEntryBytes = 46, kLocalBytes = 30, kLocatorBytes = 20, kEnd64Bytes = 56;
constexpr uint32_t kEnd = 0x06054b50, kEntry = 0x02014b50, kLocal = 0x04034b50, kLocator = 0x07064b50,
                   kEnd64 = 0x06064b50;
constexpr uint32_t kIn64 = 0xFFFFFFFF; // the number is in the zip64 record

/// A record of the directory: numbers at fixed places of bytes already read.
struct Record {
  std::string bytes;
  template <class T> T at(size_t offset) const {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
};

struct Directory {
  uint64_t count, bytes, offset;
};

class Reader {
public:
  explicit Reader(const InputFile &file) : file_(file) {}

  ZipEntries read() const {
    const Directory directory = find();
    if (directory.count > kMaxEntries || directory.count > directory.bytes / kEntryBytes)
      bad("a zip directory of ", directory.count, " entries in ", directory.bytes, " bytes");
    if (directory.offset > file_.size_bytes() || directory.bytes > file_.size_bytes() - directory.offset)
      bad("truncated: the zip directory is not in the file");
    FileCursor in(file_, directory.offset, directory.offset + directory.bytes);
    ZipEntries out;
    for (uint64_t i = 0; i < directory.count; ++i) {
      auto [name, entry] = next(in);
      if (!out.emplace(name, entry).second) bad("zip entry '", printable(name), "' is there twice");
    }
    return out;
  }

private:
  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, file_.path(), ": ", parts...);
  }

  Record record(uint64_t offset, uint64_t n_bytes) const {
    Record out{std::string(n_bytes, '\0')};
    file_.read_at(offset, std::as_writable_bytes(std::span(out.bytes.data(), out.bytes.size())));
    return out;
  }

  /// The end record is the last thing in the file but for a comment.
  Directory find() const {
    const uint64_t size = file_.size_bytes(), n = std::min(size, kMaxComment + kEndBytes);
    const Record tail = record(size - n, n);
    for (uint64_t at = n; at-- > 0;) {
      if (n - at < kEndBytes || tail.at<uint32_t>(at) != kEnd) continue;
      if (tail.at<uint16_t>(at + 20) != n - at - kEndBytes) continue;
      const Directory out{tail.at<uint16_t>(at + 10), tail.at<uint32_t>(at + 12), tail.at<uint32_t>(at + 16)};
      if (out.count != 0xFFFF && out.bytes != kIn64 && out.offset != kIn64) return out;
      return find64(size - n + at);
    }
    bad("not a whole zip file: its directory is missing");
  }

  Directory find64(uint64_t end) const {
    if (end < kLocatorBytes + kEnd64Bytes) bad("truncated: no zip64 record");
    const Record locator = record(end - kLocatorBytes, kLocatorBytes);
    const auto offset = locator.at<uint64_t>(8);
    if (locator.at<uint32_t>(0) != kLocator || offset > end - kLocatorBytes - kEnd64Bytes)
      bad("damaged zip: no zip64 record");
    const Record record64 = record(offset, kEnd64Bytes);
    if (record64.at<uint32_t>(0) != kEnd64) bad("damaged zip: no zip64 record");
    return {record64.at<uint64_t>(32), record64.at<uint64_t>(40), record64.at<uint64_t>(48)};
  }

  std::pair<std::string, ZipEntry> next(FileCursor &in) const {
    const Record r{in.text(kEntryBytes, "zip directory")};
    const uint64_t n_name = r.at<uint16_t>(28);
    if (r.at<uint32_t>(0) != kEntry || n_name > kMaxName) bad("damaged zip directory");
    std::string name = in.text(n_name, "zip entry's name");
    const Record extra{in.text(r.at<uint16_t>(30), "zip entry")};
    in.skip(r.at<uint16_t>(32), "zip entry's comment");
    ZipEntry entry;
    entry.stored = r.at<uint16_t>(10) == 0 && (r.at<uint16_t>(8) & 1) == 0;
    uint64_t original = r.at<uint32_t>(24);
    entry.bytes = r.at<uint32_t>(20);
    uint64_t local = r.at<uint32_t>(42);
    wide(extra, {&original, &entry.bytes, &local});
    if (entry.stored && original != entry.bytes) bad("zip entry '", printable(name), "' has two sizes");
    if (local > file_.size_bytes() || file_.size_bytes() - local < kLocalBytes)
      bad("truncated: zip entry '", printable(name), "' is at ", local);
    const Record header = record(local, kLocalBytes);
    if (header.at<uint32_t>(0) != kLocal) bad("zip entry '", printable(name), "' has a damaged header");
    entry.offset = local + kLocalBytes + header.at<uint16_t>(26) + header.at<uint16_t>(28);
    if (entry.offset > file_.size_bytes() || entry.bytes > file_.size_bytes() - entry.offset)
      bad("truncated: zip entry '", printable(name), "' needs ", entry.bytes, " bytes from ", entry.offset,
          ", the file has ", file_.size_bytes());
    return {std::move(name), entry};
  }

  /// Numbers that did not fit in 32 bits, in the order of the extra field with id 1.
  void wide(const Record &extra, std::initializer_list<uint64_t *> numbers) const {
    for (size_t at = 0; at + 4 <= extra.bytes.size(); at += 4 + extra.at<uint16_t>(at + 2)) {
      const size_t end = at + 4 + extra.at<uint16_t>(at + 2);
      if (extra.at<uint16_t>(at) != 1) continue;
      if (end > extra.bytes.size()) bad("damaged zip directory");
      size_t from = at + 4;
      for (uint64_t *number : numbers) {
        if (*number != kIn64) continue;
        if (from + 8 > end) bad("damaged zip directory");
        *number = extra.at<uint64_t>(from);
        from += 8;
      }
      return;
    }
  }

  const InputFile &file_;
};

} // namespace

ZipEntries zip_entries(const InputFile &file) { return Reader(file).read(); }

const ZipEntry &stored_entry(const ZipEntries &entries, const std::string &name, const InputFile &file) {
  const auto found = entries.find(name);
  if (found == entries.end())
    fail(ErrorCode::InvalidFile, file.path(), ": zip entry '", printable(name), "' is missing");
  if (!found->second.stored)
    fail(ErrorCode::Unsupported, file.path(), ": zip entry '", printable(name),
         "' is compressed or encrypted; torch.save writes entries as they are");
  return found->second;
}

} // namespace fovea
