#include "tasks/text_filter.h"

#include <algorithm>

namespace fovea {

std::string TextFilter::push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  size_t first = std::string::npos;
  for (const std::string &stop : stops_) first = std::min(first, held_.find(stop));
  stopped_ = first != std::string::npos;
  const size_t from = stopped_ ? first : held_from();
  std::string out = held_.substr(0, from);
  held_.erase(0, stopped_ ? std::string::npos : from);
  return out;
}

std::string TextFilter::finish() {
  std::string out;
  out.swap(held_);
  return out;
}

/// Where the longest end of held_ begins that some stop text begins with.
size_t TextFilter::held_from() const {
  size_t longest = 0;
  for (const std::string &stop : stops_)
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > longest; --n)
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, n))) longest = n;
  return held_.size() - longest;
}

} // namespace fovea
