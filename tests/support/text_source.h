// A source of texts alone: configurations and tokenizers without weights.
#pragma once

#include "converter/architectures/architecture.h"

namespace fovea::test {

inline Source source_of(const std::vector<std::pair<std::string, std::string>> &texts) {
  Source source("model", "test");
  for (const auto &[name, text] : texts) source.add_text(name, text);
  source.finish();
  return source;
}

} // namespace fovea::test
