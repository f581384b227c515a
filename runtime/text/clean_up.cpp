#include "text/clean_up.h"

#include <algorithm>
#include <span>
#include <utility>

namespace fovea {
namespace {
using Replacement = std::pair<std::string_view, std::string_view>;
constexpr Replacement kOfTokens[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                     {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                     {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
constexpr Replacement kOfTexts[] = {{" .", "."},     {" ?", "?"},     {" !", "!"},   {" ,", ","},
                                    {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"},
                                    {" 've", "'ve"}, {" 're", "'re"}};
constexpr size_t kLongest = 4; // of kOfTexts

void replace_all(std::string &text, std::span<const Replacement> replacements) {
  for (const auto &[from, to] : replacements) {
    size_t at = 0, found = text.find(from);
    if (found == std::string::npos) continue;
    std::string out;
    for (; found != std::string::npos; found = text.find(from, at)) {
      out.append(text, at, found - at).append(to);
      at = found + from.size();
    }
    text = out.append(text, at);
  }
}
} // namespace

void clean_up_token(std::string &token) { replace_all(token, kOfTokens); }
void clean_up_text(std::string &text) { replace_all(text, kOfTexts); }

// Every replacement starts with a space and removes only spaces, so none crosses a place with no space among
// the characters of its length before it.
size_t clean_up_boundary(std::string_view text, size_t seen) {
  size_t end = text.size();
  while (end > seen) {
    const size_t reach = std::min(end, kLongest - 1);
    const size_t space = text.substr(end - reach, reach).find(' ');
    if (space == std::string_view::npos) return end;
    end = end - reach + space;
  }
  return 0;
}

} // namespace fovea
