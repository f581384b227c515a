// GenerationSettings: how a text-to-text model writes, as its publisher set it (metadata fovea.translate.*,
// docs/format.md) and as a caller changes it. Names and meanings are those of the reference implementation
// (Hugging Face transformers' GenerationConfig). Values. read() throws InvalidFile naming file and key.
#pragma once

#include "format/model_file.h"

#include <optional>
#include <string>
#include <vector>

namespace fovea {

/// When a beam search ends: with n_beams finished sequences (Yes); when no live one could still beat them at
/// its present length (No), or at any (Never).
enum class EarlyStopping : uint8_t { No, Yes, Never };

struct GenerationSettings {
  // Of the model.
  uint32_t n_vocabulary = 0;
  uint32_t n_positions = 0; // most tokens of a sequence; 0: no limit
  int32_t start = 0;        // what every sequence begins with
  int32_t pad = 0;
  std::vector<int32_t> end;

  // Lengths count the start token, but for the new_tokens; 0: not set. New tokens go before lengths.
  uint32_t max_length = 0, max_new_tokens = 0, min_length = 0, min_new_tokens = 0;
  uint32_t n_beams = 1; // 1: greedy
  float length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::No;
  uint32_t no_repeat_ngram = 0; // no n tokens twice; 0: off
  float repetition_penalty = 1;
  std::optional<int32_t> forced_first; // the token after the start
  std::vector<int32_t> forced_last;    // one of these when max_length is reached
  std::vector<int32_t> suppressed, suppressed_first;
  std::vector<std::vector<int32_t>> bad_words; // sequences that must not appear

  std::string prefix; // put before every source text

  /// `task`: one of fovea.translate.tasks, whose settings go before the others; empty: none of them.
  static GenerationSettings read(const ModelFile &file, const std::string &task = {});
  /// Error InvalidArgument when a number is out of range.
  void check() const;
  /// Tokens of the longest sequence, the start token among them.
  uint32_t length_limit() const;
};

/// The names in fovea.translate.tasks.
std::vector<std::string> generation_tasks(const ModelFile &file);

} // namespace fovea
