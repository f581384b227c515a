// The entries of a zip file (zip64 too) by name, and where each lies in the file: those that are stored as
// they are can be read there.
//
// Pure; memory is bounded by the limits in the source. Errors InvalidFile and Unsupported name the file and
// the entry. Source: PKWARE's APPNOTE.TXT, 4.3 to 4.5. Rejected: libzip, which does not say where an entry
// lies; Debian's minizip, which reads no zip64 sizes on 64-bit machines.
#pragma once

#include "converter/sources/input_file.h"

#include <map>

namespace fovea {

struct ZipEntry {
  uint64_t offset = 0, bytes = 0; // in the file
  bool stored = true;             // neither compressed nor encrypted
};
using ZipEntries = std::map<std::string, ZipEntry, std::less<>>;

/// Each entry is checked to lie in `file`.
ZipEntries zip_entries(const InputFile &file);
/// Error when there is none of that name, or when it is not stored as it is.
const ZipEntry &stored_entry(const ZipEntries &entries, const std::string &name, const InputFile &file);

} // namespace fovea
