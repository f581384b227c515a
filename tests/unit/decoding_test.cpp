// Sampling, language detection and the bookkeeping of beam search.
#include "tasks/beam_search.h"
#include "tasks/language.h"
#include "tasks/sampling.h"
#include "tasks/speech_session.h"

#include "support/speech_metadata.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <numeric>

using namespace fovea;

TEST_CASE("sampling: the generator is SplitMix64") {
  Random random(0);
  CHECK(random.next() == 0xE220A8397B1DCDAFu);
  CHECK(random.next() == 0x6E789E6AA1B965F4u);
  CHECK(random.next() == 0x06C45D188009454Fu);
  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform();
    REQUIRE((u >= 0 && u < 1));
  }
}

TEST_CASE("sampling: frequencies are exp(logprob / temperature), forbidden tokens never come") {
  const std::vector<float> logprobs = {-3e38f, std::log(0.5f), std::log(0.3f),
                                       -3e38f, std::log(0.2f), -3e38f};
  for (const float temperature : {0.2f, 1.0f, 2.0f}) {
    std::vector<double> expected(6);
    for (const size_t i : {1u, 2u, 4u}) expected[i] = std::exp(double(logprobs[i]) / double(temperature));
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    Random random(3);
    std::vector<int> counts(6);
    constexpr int kRounds = 40000;
    for (int i = 0; i < kRounds; ++i) ++counts[size_t(sample_token(logprobs, temperature, random))];
    for (size_t i = 0; i < 6; ++i) {
      const double p = expected[i] / sum, deviation = std::sqrt(p * (1 - p) / kRounds);
      CHECK(std::abs(double(counts[i]) / kRounds - p) <= 5 * deviation);
    }
  }
}

TEST_CASE("sampling: odd distributions") {
  Random random(5);
  CHECK(sample_token(std::vector<float>{-3e38f, -3e38f}, 1, random) == 0);
  CHECK(sample_token(std::vector<float>{-3e38f, -1000, -3e38f}, 0.01f, random) ==
        1); // no underflow of all weights
  CHECK(softmax_at(std::vector<float>{1000, 1000}, 0) == doctest::Approx(0.5));
  CHECK(softmax_at(std::vector<float>{-3e38f, 2, 1}, 1) == doctest::Approx(1 / (1 + std::exp(-1.0))));
  CHECK(softmax_at(std::vector<float>{-3e38f, 2, 1}, 0) == 0);
}

TEST_CASE("language: the likeliest of the language tokens, whatever else is likely") {
  SpeechSpec s = test::tiny_spec();
  s.languages = {"en", "de", "fr"};
  s.language_tokens = {10, 30, 20};
  std::vector<float> logits(s.n_vocabulary, 100);
  logits[10] = 1, logits[30] = 3, logits[20] = 2;
  const LanguageGuess guess = detect_language(s, logits);
  CHECK(s.languages[guess.index] == "de");
  CHECK(guess.probability == doctest::Approx(1 / (1 + std::exp(-1.0) + std::exp(-2.0))));
  CHECK(find_language(s, "FR") == 2);
  CHECK_THROWS_WITH_AS(find_language(s, "xx"), "language 'xx' is not one that the model knows: en de fr",
                       Error);
}

TEST_CASE("prompt parts: few sizes, all tokens, in order") {
  for (uint32_t n = 0; n <= 450; ++n) {
    const auto parts = prompt_parts(n);
    CHECK(std::accumulate(parts.begin(), parts.end(), 0u) == n);
    CHECK(parts.size() <= 8);
    for (const uint32_t part : parts) CHECK((part <= 8 || (part & (part - 1)) == 0));
  }
}

namespace {

constexpr int32_t kEnd = 0;
constexpr int kVocabulary = 12;

// A language model: log-probabilities that depend on all tokens so far.
std::vector<double> next_logprobs(const std::vector<int32_t> &tokens, uint64_t seed) {
  uint64_t h = seed;
  for (const int32_t t : tokens) h = Random(h * 31 + uint64_t(t) + 1).next();
  Random random(h);
  std::vector<double> p(kVocabulary);
  for (double &v : p) v = std::pow(random.uniform(), 3.0) + 1e-6;
  p[kEnd] *= 0.3 + 0.2 * double(tokens.size()); // longer ones end
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double &v : p) v = double(float(std::log(v / sum)));
  return p;
}

// Beam search as the reference implementation states it: over whole sequences in maps.
std::map<std::vector<int32_t>, double> search_by_statements(int n_beams, double patience, int max_steps,
                                                            uint64_t seed) {
  using Sequence = std::vector<int32_t>;
  std::vector<std::pair<Sequence, double>> beams(size_t(n_beams), {Sequence{}, 0.0});
  std::vector<std::pair<Sequence, double>> finished;
  const auto n_wanted = size_t(std::lround(n_beams * patience));
  for (int step = 0; step < max_steps && finished.size() < n_wanted; ++step) {
    std::vector<std::pair<Sequence, double>> candidates;
    for (const auto &[tokens, sum] : beams) {
      const auto logprobs = next_logprobs(tokens, seed);
      std::vector<int32_t> order(kVocabulary);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int32_t a, int32_t b) { return logprobs[size_t(a)] > logprobs[size_t(b)]; });
      for (int i = 0; i < std::min(n_beams + 1, kVocabulary); ++i) {
        Sequence sequence = tokens;
        sequence.push_back(order[size_t(i)]);
        const bool known = std::any_of(candidates.begin(), candidates.end(),
                                       [&](const auto &c) { return c.first == sequence; });
        if (!known) candidates.emplace_back(sequence, sum + logprobs[size_t(order[size_t(i)])]);
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto &a, const auto &b) { return a.second > b.second; });
    beams.clear();
    for (const auto &[sequence, sum] : candidates) {
      if (sequence.back() == kEnd) {
        if (finished.size() < n_wanted)
          finished.emplace_back(Sequence(sequence.begin(), sequence.end() - 1), sum);
      } else {
        beams.emplace_back(sequence, sum);
        if (int(beams.size()) == n_beams) break;
      }
    }
  }
  for (const auto &beam : beams)
    if (finished.size() < size_t(n_beams)) finished.push_back(beam);
  return {finished.begin(), finished.end()};
}

std::vector<Hypothesis> run_beam_search(uint32_t n_beams, float patience, int max_steps, uint64_t seed) {
  BeamSearch search(n_beams, patience, kEnd);
  std::vector<std::vector<int32_t>> rows = {{}}; // what the device's caches would hold
  for (int step = 0; step < max_steps && !search.done(); ++step) {
    std::vector<std::vector<BeamSearch::Candidate>> top;
    for (size_t i = 0; i < search.live().size(); ++i) {
      REQUIRE(rows[i] == search.live()[i].tokens);
      const auto logprobs = next_logprobs(rows[i], seed);
      std::vector<BeamSearch::Candidate> all;
      for (int32_t id = 0; id < kVocabulary; ++id) all.push_back({float(logprobs[size_t(id)]), id});
      std::stable_sort(all.begin(), all.end(),
                       [](const auto &a, const auto &b) { return a.logprob > b.logprob; });
      top.push_back(std::move(all));
    }
    search.step(std::vector<std::span<const BeamSearch::Candidate>>(top.begin(), top.end()));
    std::vector<std::vector<int32_t>> next;
    for (size_t i = 0; i < search.live().size(); ++i) {
      next.push_back(rows[search.sources()[i]]);
      next.back().push_back(search.live()[i].tokens.back());
    }
    rows = std::move(next);
  }
  return search.results();
}

} // namespace

TEST_CASE("beam search: the reference's sequences and sums") {
  for (uint64_t seed = 0; seed < 60; ++seed)
    for (const int n_beams : {1, 2, 5, 15})
      for (const double patience : {1.0, 2.0}) {
        CAPTURE(seed);
        CAPTURE(n_beams);
        const auto expected = search_by_statements(n_beams, patience, 9, seed);
        const auto got = run_beam_search(uint32_t(n_beams), float(patience), 9, seed);
        REQUIRE(got.size() == expected.size());
        for (const Hypothesis &h : got) {
          REQUIRE(expected.count(h.tokens) == 1);
          CHECK(h.sum_logprob == doctest::Approx(expected.at(h.tokens)));
        }
      }
}

TEST_CASE("beam search: forbidden candidates are no sequences") {
  using Candidate = BeamSearch::Candidate;
  BeamSearch search(3, 1, kEnd);
  const std::vector<Candidate> one = {{-0.1f, 4}, {-3e38f, 5}, {-3e38f, kEnd}, {-3e38f, 6}};
  search.step(std::vector<std::span<const Candidate>>{one});
  REQUIRE(search.live().size() == 1);
  const std::vector<Candidate> end = {{-0.2f, kEnd}, {-3e38f, 5}, {-3e38f, 6}, {-3e38f, 7}};
  search.step(std::vector<std::span<const Candidate>>{end});
  CHECK(search.done());
  REQUIRE(search.results().size() == 1);
  CHECK(search.results()[0].tokens == std::vector<int32_t>{4});
  CHECK(search.results()[0].sum_logprob == doctest::Approx(-0.3));
}

TEST_CASE("beam search: ranking by average, by length penalty, and of empty text") {
  const std::vector<Hypothesis> all = {{{1, 2}, -2.0}, {{1, 2, 3, 4}, -3.0}, {{}, -5.0}};
  CHECK(best_hypothesis(all, {}) == 1);
  CHECK(best_hypothesis(all, 0.0f) == 0);
  CHECK(score(all[1], 1.0f) == doctest::Approx(-3.0 / 1.5));
  CHECK(score(all[2], {}) == doctest::Approx(-5.0));
}
