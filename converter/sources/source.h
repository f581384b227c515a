// Source: a trained model as its publisher ships it: named tensors, configuration texts and, where the format
// embeds one, a vocabulary.
//
// Owns the open files. Movable; const methods may run on any number of threads. A source holds names and
// places only: tensors are read in pieces on request. Errors name the file and the tensor. Formats are one
// file each beside this one and one row in open_source()'s table. Rejected: a virtual class per format (all
// of them are "tensors at offsets in files").
#pragma once

#include "base/tensor_type.h"
#include "converter/sources/gguf_vocabulary.h"
#include "converter/sources/input_file.h"

#include <map>
#include <optional>
#include <vector>

namespace fovea {

/// Plain elements, then llama.cpp's blocks (sources/blocks.h).
enum class SourceType : uint8_t {
  F32,
  F16,
  BF16,
  F64,
  I64,
  I32,
  I16,
  I8,
  U8,
  Bool,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q4_K,
  Q5_K,
  Q6_K
};
const char *to_string(SourceType type);
/// Elements that are stored together (1 when plain), and the bytes that they take.
uint64_t block_elements(SourceType type);
uint64_t block_bytes(SourceType type);
/// Bytes of `elements` in a row; what is no whole number of blocks, or overflows, is an Error InvalidFile
/// that says `what`.
uint64_t stored_bytes(SourceType type, uint64_t elements, std::string_view what);

/// Where a tensor's elements lie when they are not in order: element (i, j, …) of `dims`, counted row-major
/// as the tensor's own shape counts them, is at i × strides[0] + j × strides[1] + …
struct SourceLayout {
  std::vector<uint64_t> dims, strides; // in elements
};

struct SourceTensor {
  std::string name;
  SourceType type = SourceType::F32;
  Shape shape;         // outermost first
  uint32_t file = 0;   // index of the file that holds it
  uint64_t offset = 0; // of its first element, in that file
  SourceLayout layout; // empty: in order, without gaps
  float shift = 0;     // added to every element: undoes what some formats add
  uint64_t bytes() const { return shape.elements() / block_elements(type) * block_bytes(type); }
};

class Source {
public:
  /// `format`: "Hugging Face folder" …
  Source(std::string path, std::string format) : path_(std::move(path)), format_(std::move(format)) {}

  const std::string &path() const { return path_; }
  const std::string &format() const { return format_; }

  /// Sorted by name.
  const std::vector<SourceTensor> &tensors() const { return tensors_; }
  /// nullptr when there is none of that name.
  const SourceTensor *find(std::string_view name) const;
  /// Sum over all tensors.
  uint64_t total_bytes() const;

  /// Error InvalidFile when a vocabulary of `n` is announced and no tensor has as many rows: what memory is
  /// taken for, before tensors are looked at, must be in the file.
  void check_vocabulary(uint64_t n) const;

  /// Whether `path` is the source itself or one of the files that hold its tensors.
  bool holds(const std::string &path) const;

  /// Reads elements `first` … `first + out.size() - 1` (row-major) as floats. Integers are converted.
  void read(const SourceTensor &tensor, uint64_t first, std::span<float> out) const;
  /// The whole tensor. Error NotFound.
  std::vector<float> read(std::string_view name) const;

  /// A configuration file's text ("config.json"), or nothing when the source has none of that name.
  std::optional<std::string> text(std::string_view name) const;
  /// Where a text is, for errors: "<path>/config.json".
  std::string text_path(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Tokens as byte strings, in id order; empty when the format embeds none.
  const std::vector<std::string> &vocabulary() const { return vocabulary_; }

  /// What a GGUF file says of its tokenizer; nullptr when it has none.
  const GgufVocabulary *gguf_vocabulary() const { return gguf_vocabulary_ ? &*gguf_vocabulary_ : nullptr; }

  // For readers of formats.
  uint32_t add_file(InputFile file);
  /// Checks that the tensor lies in its file. Call finish() after the last one.
  void add_tensor(SourceTensor tensor);
  void add_text(std::string name, std::string text) { texts_[std::move(name)] = std::move(text); }
  /// Texts not added are looked for as files in the source's folder.
  void texts_in_folder() { folder_ = true; }
  void set_vocabulary(std::vector<std::string> tokens) { vocabulary_ = std::move(tokens); }
  void set_vocabulary(GgufVocabulary vocabulary) { gguf_vocabulary_ = std::move(vocabulary); }
  /// Sorts; refuses duplicate names.
  void finish();

private:
  std::string path_, format_;
  std::vector<InputFile> files_;
  std::vector<SourceTensor> tensors_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::vector<std::string> vocabulary_;
  std::optional<GgufVocabulary> gguf_vocabulary_;
  bool folder_ = false;
};

/// A stranger's text for an error's one line: control characters become '?', at most 200 bytes are kept.
std::string printable(std::string_view text);

/// Opens whatever `path` is, told by its contents. Error Unsupported for what cannot be read, saying what to
/// do.
Source open_source(const std::string &path);

} // namespace fovea
