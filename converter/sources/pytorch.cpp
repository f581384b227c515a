#include "converter/sources/pytorch.h"

#include "base/checked.h"
#include "converter/sources/pickle.h"
#include "converter/sources/zip_entries.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr std::string_view kZip = "PK\3\4";
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"; // of the older format
constexpr int64_t kLegacyVersion = 1001;

/// Where a storage lies in the file.
using Place = ZipEntry;

/// Strides are those of a tensor without gaps; those of dimensions of 1 mean nothing.
bool is_contiguous(const PickledTensor &t) {
  uint64_t step = 1;
  for (size_t i = t.shape.size(); i-- > 0;) {
    if (t.shape[i] != 1 && t.strides[i] != step) return false;
    step *= t.shape[i]; // of checked elements()
  }
  return true;
}

SourceTensor placed(const PickledTensor &t, const PickledStorage &storage, const Place &place,
                    const std::string &path) {
  if (t.shape.size() > size_t(kMaxRank))
    fail(ErrorCode::Unsupported, path, ": tensor '", t.name, "' has ", t.shape.size(),
         " dimensions, at most ", kMaxRank, " are supported");
  SourceTensor out;
  out.name = t.name;
  out.type = storage.type;
  out.shape = Shape(std::span(t.shape));
  const uint64_t elements = out.shape.elements();
  uint64_t last = t.offset; // of the elements that are used
  for (size_t i = 0; i < t.shape.size() && elements > 0; ++i)
    last = checked_add(last, checked_mul(t.shape[i] - 1, t.strides[i], t.name), t.name);
  const uint64_t needed = checked_add(last, elements > 0, t.name);
  if (needed > storage.elements)
    fail(ErrorCode::InvalidFile, path, ": tensor '", t.name, "' ", out.shape, " needs ", needed,
         " elements, its storage has ", storage.elements);
  if (elements > storage.elements) // views that repeat elements would let a small file ask for any memory
    fail(ErrorCode::Unsupported, path, ": tensor '", t.name, "' ", out.shape, " repeats the ",
         storage.elements, " elements of its storage; save it with .contiguous()");
  out.offset = place.offset + t.offset * block_bytes(storage.type);
  if (elements > 0 && !is_contiguous(t)) out.layout = {t.shape, t.strides};
  return out;
}

void add_all(Source &source, InputFile file, const Pickle &pickle, const std::vector<PickledTensor> &tensors,
             const std::vector<Place> &places) {
  std::vector<SourceTensor> out;
  for (const PickledTensor &t : tensors)
    out.push_back(placed(t, pickle.storages()[t.storage], places[t.storage], file.path()));
  const uint32_t index = source.add_file(std::move(file));
  for (SourceTensor &t : out) {
    t.file = index;
    source.add_tensor(std::move(t));
  }
}

/// The folder inside the zip: the name of data.pkl before its last part.
std::string prefix_of(const ZipEntries &entries, const std::string &path) {
  for (const auto &[name, entry] : entries)
    if (name.ends_with("/data.pkl") && std::count(name.begin(), name.end(), '/') == 1) {
      const std::string prefix = name.substr(0, name.size() - 8);
      if (entries.contains(prefix + "constants.pkl"))
        fail(ErrorCode::Unsupported, path,
             ": a TorchScript archive, which holds code; save the model's state_dict");
      return prefix;
    }
  fail(ErrorCode::Unsupported, path, ": a zip file without data.pkl: not a PyTorch checkpoint");
}

void add_zip(Source &source, InputFile file) {
  const ZipEntries entries = zip_entries(file);
  const std::string prefix = prefix_of(entries, file.path());
  if (entries.contains(prefix + "byteorder")) {
    const ZipEntry &order = stored_entry(entries, prefix + "byteorder", file);
    FileCursor in(file, order.offset, order.offset + order.bytes);
    if (const std::string text = in.text(std::min<uint64_t>(16, order.bytes), "byteorder"); text != "little")
      fail(ErrorCode::Unsupported, file.path(), ": byte order '", printable(text), "', expected 'little'");
  }
  const ZipEntry &data = stored_entry(entries, prefix + "data.pkl", file);
  FileCursor in(file, data.offset, data.offset + data.bytes);
  const Pickle pickle(in);
  const std::vector<PickledTensor> tensors = pickle.tensors();
  std::vector<Place> places;
  for (const PickledStorage &storage : pickle.storages()) {
    const ZipEntry &entry = stored_entry(entries, prefix + "data/" + storage.key, file);
    const uint64_t needed = stored_bytes(storage.type, storage.elements, storage.key);
    if (needed > entry.bytes)
      fail(ErrorCode::InvalidFile, file.path(), ": storage '", printable(storage.key), "' needs ", needed,
           " bytes, its entry has ", entry.bytes);
    places.push_back(entry);
  }
  add_all(source, std::move(file), pickle, tensors, places);
}

/// Pickles: magic number, version, the machine, the tensors, the keys of storages in file order; then each
/// storage's number of elements and bytes.
void add_legacy(Source &source, InputFile file) {
  FileCursor in(file);
  if (Pickle(in).long_bytes() != kMagic)
    fail(ErrorCode::Unsupported, file.path(), ": a pickle, but not one that torch.save wrote");
  if (const auto version = Pickle(in).integer(); version != kLegacyVersion)
    fail(ErrorCode::Unsupported, file.path(), ": checkpoint version ", version.value_or(0), ", expected ",
         kLegacyVersion);
  if (Pickle(in).flag("little_endian") != true)
    fail(ErrorCode::Unsupported, file.path(), ": not of a little-endian machine");
  const Pickle pickle(in);
  const std::vector<PickledTensor> tensors = pickle.tensors();
  const std::vector<std::string> keys = Pickle(in).texts();
  std::map<std::string_view, Place> found;
  std::map<std::string_view, const PickledStorage *> known;
  for (const PickledStorage &storage : pickle.storages()) known.emplace(storage.key, &storage);
  for (const std::string &key : keys) {
    const auto storage = known.find(key);
    if (storage == known.end())
      fail(ErrorCode::InvalidFile, file.path(), ": storage '", printable(key), "' belongs to no tensor");
    const PickledStorage &s = *storage->second;
    if (const auto elements = in.read<uint64_t>("storage size"); elements != s.elements)
      fail(ErrorCode::InvalidFile, file.path(), ": storage '", printable(key), "' has ", elements,
           " elements, ", s.elements, " expected");
    const Place place{in.position(), stored_bytes(s.type, s.elements, key)};
    in.skip(place.bytes, "storage");
    found.emplace(storage->first, place);
  }
  std::vector<Place> places;
  for (const PickledStorage &storage : pickle.storages()) {
    const auto place = found.find(storage.key);
    if (place == found.end())
      fail(ErrorCode::InvalidFile, file.path(), ": storage '", printable(storage.key), "' is missing");
    places.push_back(place->second);
  }
  add_all(source, std::move(file), pickle, tensors, places);
}

} // namespace

bool is_pytorch(std::string_view head) { return head.starts_with(kZip) || head.starts_with('\x80'); }

void add_pytorch(Source &source, InputFile file) {
  std::string head(std::min<uint64_t>(4, file.size_bytes()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(head.data(), head.size())));
  if (!is_pytorch(head)) fail(ErrorCode::InvalidFile, file.path(), ": not a PyTorch checkpoint");
  if (head == kZip)
    add_zip(source, std::move(file));
  else
    add_legacy(source, std::move(file));
}

} // namespace fovea
