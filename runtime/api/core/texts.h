// Lists of texts and of token ids as callers give them. Errors InvalidArgument.
#pragma once

#include "api/guard.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::api {

inline std::vector<std::string> read_texts(const char *const *texts, size_t n) {
  if (n) require(texts, "texts");
  std::vector<std::string> out;
  for (size_t i = 0; i < n; ++i) out.emplace_back(require(texts[i], "texts[]"));
  return out;
}

inline std::vector<std::vector<int32_t>> read_tokens(const int32_t *const *tokens, const size_t *n_tokens,
                                                     size_t n) {
  if (n) {
    require(tokens, "tokens");
    require(n_tokens, "n_tokens");
  }
  std::vector<std::vector<int32_t>> out;
  for (size_t i = 0; i < n; ++i) {
    if (n_tokens[i]) require(tokens[i], "tokens[]");
    out.emplace_back(tokens[i], tokens[i] + n_tokens[i]);
  }
  return out;
}

} // namespace fovea::api
