// Which tokens may come next in a window: the constraints on time tokens of the reference implementation
// ("ApplyTimestampRules", with max_initial_timestamp), as the row of four numbers that a graph's token_rules
// op reads. Pure; any thread; nothing throws.
#pragma once

#include "tasks/speech_spec.h"

#include <array>
#include <optional>
#include <span>

namespace fovea {

/// One row of the graph input `rules`: text ids from text_from on and time ids in [time_from, time_to) are
/// allowed; first != 0: ids that may not begin a window are not.
struct RulesRow {
  int32_t text_from = 0, time_from = 0, time_to = 0, first = 0;
  friend bool operator==(const RulesRow &, const RulesRow &) = default;
};
static_assert(sizeof(RulesRow) == 16);

class TimestampRules {
public:
  /// with_times false: text only. max_initial: largest time token offset (positions) for the first token of a
  /// window.
  TimestampRules(const SpeechSpec &spec, bool with_times, std::optional<uint32_t> max_initial);

  /// sampled: the tokens since the prompt, at most the end token left out.
  RulesRow row(std::span<const int32_t> sampled) const;

private:
  int32_t end_, time_begin_, time_end_, initial_end_;
  bool with_times_;
};

} // namespace fovea
