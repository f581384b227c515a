#include "tasks/language.h"

#include "tasks/sampling.h"

#include <algorithm>

namespace fovea {

LanguageGuess detect_language(const SpeechSpec &spec, std::span<const float> logits) {
  std::vector<float> of_languages;
  for (const int32_t id : spec.language_tokens) of_languages.push_back(logits[size_t(id)]);
  const auto best = std::max_element(of_languages.begin(), of_languages.end()) - of_languages.begin();
  return {size_t(best), softmax_at(of_languages, int32_t(best))};
}

size_t find_language(const SpeechSpec &spec, std::string_view code) {
  std::string lower(code);
  for (char &c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  const auto found = std::find(spec.languages.begin(), spec.languages.end(), lower);
  if (found != spec.languages.end()) return size_t(found - spec.languages.begin());
  std::string known;
  for (const std::string &l : spec.languages) known += concat(known.empty() ? "" : " ", l);
  fail(ErrorCode::InvalidArgument, "language '", code, "' is not one that the model knows: ", known);
}

} // namespace fovea
