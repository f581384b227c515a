// TextFilter: generated text on its way out, cut where a stop text begins. One thread. Nothing throws but
// std::bad_alloc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fovea {

class TextFilter {
public:
  explicit TextFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes `text`; returns what can no longer be part of a stop text. Nothing once one has come.
  std::string push(std::string_view text);
  /// The end: what was held back.
  std::string finish();
  bool stopped() const { return stopped_; }

private:
  size_t held_from() const;
  std::vector<std::string> stops_; // none is empty
  std::string held_;
  bool stopped_ = false;
};

} // namespace fovea
