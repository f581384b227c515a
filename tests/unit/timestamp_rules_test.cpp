#include "tasks/timestamp_rules.h"

#include "support/speech_metadata.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;
using test::tiny_spec;

namespace {

// The rule as the reference code states it: marks on every id, one statement after the other. `suppress` and
// the rule on the sum of the times' probabilities are the op's.
std::vector<bool> allowed_by_statements(const SpeechSpec &s, const std::vector<int32_t> &sampled,
                                        std::optional<uint32_t> max_initial) {
  std::vector<bool> allowed(s.n_vocabulary, true);
  const auto forbid = [&](int32_t from, int32_t to) {
    for (int32_t id = from; id < to; ++id) allowed[size_t(id)] = false;
  };
  const auto n = int32_t(s.n_vocabulary);
  const bool last_was_time = !sampled.empty() && sampled.back() >= s.time_begin;
  const bool one_before_was_time = sampled.size() < 2 || sampled[sampled.size() - 2] >= s.time_begin;
  if (last_was_time) {
    if (one_before_was_time)
      forbid(s.time_begin, n);
    else
      forbid(0, s.end);
  }
  std::vector<int32_t> times;
  for (const int32_t id : sampled)
    if (id >= s.time_begin) times.push_back(id);
  if (!times.empty())
    forbid(s.time_begin, last_was_time && !one_before_was_time ? times.back() : times.back() + 1);
  if (sampled.empty()) {
    forbid(0, s.time_begin);
    if (max_initial) forbid(s.time_begin + int32_t(*max_initial) + 1, n);
  }
  return allowed;
}

std::vector<bool> allowed_by_row(const SpeechSpec &s, const RulesRow &row) {
  std::vector<bool> allowed(s.n_vocabulary);
  for (int32_t id = 0; id < int32_t(s.n_vocabulary); ++id)
    allowed[size_t(id)] = id < s.time_begin ? id >= row.text_from : id >= row.time_from && id < row.time_to;
  return allowed;
}

} // namespace

TEST_CASE("timestamp rules: a row allows what the reference's statements allow") {
  const SpeechSpec s = tiny_spec();
  std::mt19937 generator(7);
  for (const std::optional<uint32_t> max_initial :
       {std::optional<uint32_t>(), std::optional(5u), std::optional(0u)}) {
    const TimestampRules rules(s, true, max_initial);
    for (int round = 0; round < 3000; ++round) {
      std::vector<int32_t> sampled;
      for (size_t length = generator() % 12; sampled.size() < length;) {
        // Mostly sequences that the rules lead to, some that they do not.
        const auto allowed = allowed_by_statements(s, sampled, max_initial);
        const auto id = int32_t(generator() % 2 ? generator() % s.n_vocabulary
                                                : uint32_t(s.time_begin) + generator() % (s.n_positions + 1));
        if (id != s.end && (allowed[size_t(id)] || generator() % 20 == 0))
          sampled.push_back(id);
        else if (generator() % 50 == 0)
          break;
      }
      const RulesRow row = rules.row(sampled);
      REQUIRE(allowed_by_row(s, row) == allowed_by_statements(s, sampled, max_initial));
      REQUIRE(row.first == (sampled.empty() ? 1 : 0));
    }
  }
}

TEST_CASE("timestamp rules: windows begin with a time, times come in pairs and do not decrease") {
  const SpeechSpec s = tiny_spec();
  const TimestampRules rules(s, true, 10u);
  const int32_t t = s.time_begin;
  CHECK(rules.row({}) == RulesRow{t, t, t + 11, 1});
  CHECK(rules.row(std::vector<int32_t>{t}) == RulesRow{0, 0, 0, 0});
  CHECK(rules.row(std::vector<int32_t>{t, 3}) == RulesRow{0, t + 1, s.time_end(), 0});
  CHECK(rules.row(std::vector<int32_t>{t, 3, t + 4}) == RulesRow{s.end, t + 4, s.time_end(), 0});
  CHECK(rules.row(std::vector<int32_t>{t, 3, t + 4, t + 4}) == RulesRow{0, 0, 0, 0});
}

TEST_CASE("timestamp rules: without times only text") {
  SpeechSpec s = tiny_spec();
  CHECK(TimestampRules(s, false, 5u).row({}) == RulesRow{0, 0, 0, 1});
  CHECK(TimestampRules(s, false, {}).row(std::vector<int32_t>{3, 4}) == RulesRow{0, 0, 0, 0});
  s.time_begin = SpeechSpec::kNone;
  CHECK(TimestampRules(s, true, {}).row({}) == RulesRow{0, 0, 0, 1});
  CHECK(TimestampRules(s, true, {}).row(std::vector<int32_t>{71}) == RulesRow{0, 0, 0, 0});
}

TEST_CASE("timestamp rules: an initial time past the window is the whole window") {
  const SpeechSpec s = tiny_spec();
  CHECK(TimestampRules(s, true, 4'000'000'000u).row({}).time_to == s.time_end());
}
