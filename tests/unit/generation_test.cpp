// What a sequence may go on with, beam search by hand, and how texts are put side by side.
#include "tasks/generation_rules.h"
#include "tasks/ranked_beams.h"
#include "tasks/text_batches.h"

#include <doctest/doctest.h>
#include <set>

using namespace fovea;

namespace {

GenerationSettings settings() {
  GenerationSettings s;
  s.n_vocabulary = 10;
  s.end = {1};
  return s;
}

std::vector<int32_t> banned(const GenerationSettings &s, std::vector<int32_t> tokens, uint32_t limit = 100) {
  return GenerationRules(s).after(tokens, limit).banned;
}

using Ids = std::vector<int32_t>;

} // namespace

TEST_CASE("generation rules: lengths, repeats, bad words, forced tokens") {
  GenerationSettings s = settings();
  CHECK(banned(s, {0}).empty());
  s.min_new_tokens = 2;
  CHECK(banned(s, {0, 5}) == Ids{1});
  CHECK(banned(s, {0, 5, 5}).empty());
  s.min_new_tokens = 0;
  s.min_length = 2; // with the start token
  CHECK(banned(s, {0}) == Ids{1});
  CHECK(banned(s, {0, 5}).empty());

  s = settings();
  s.no_repeat_ngram = 2;
  CHECK(banned(s, {0, 4, 5, 4}) == Ids{5});
  CHECK(banned(s, {0, 4, 5, 4, 6, 4}) == Ids{5, 6});
  CHECK(banned(s, {0}).empty());
  s.no_repeat_ngram = 1;
  CHECK(banned(s, {0, 4, 4, 5}) == Ids{0, 4, 5});

  s = settings();
  s.bad_words = {{3}, {4, 5}, {1}, {}}; // an end token alone is not banned
  CHECK(banned(s, {0}) == Ids{3});
  CHECK(banned(s, {0, 4}) == Ids{3, 5});

  s = settings();
  s.suppressed = {7, 7};
  s.suppressed_first = {8};
  CHECK(banned(s, {0}) == Ids{7, 8});
  CHECK(banned(s, {0, 2}) == Ids{7});
  s.forced_first = 6;
  s.forced_last = {1};
  CHECK(GenerationRules(s).after(Ids{0}, 100).forced == Ids{6});
  CHECK(banned(s, {0, 6}) == Ids{7, 8});
  CHECK(GenerationRules(s).after(Ids{0, 6, 2}, 4).forced == Ids{1});
  s.repetition_penalty = 2;
  CHECK(GenerationRules(s).penalized(-1) == -2.0f);
  CHECK(GenerationRules(s).penalized(1) == 0.5f);
}

TEST_CASE("ranked beams: two beams by hand") {
  // Token 1 ends. From the start: a (2) -0.5, b (3) -1.0, end -3.
  RankedBeams beams({2, 1, 1.0f, EarlyStopping::No, 10}, 0);
  CHECK(beams.n_candidates() == 4);
  REQUIRE(beams.live().size() == 2);
  using C = std::vector<RankedBeams::Candidate>;
  const C first = {{-0.5f, 2, false}, {-1.0f, 3, false}, {-3.0f, 1, true}};
  beams.step(std::vector<C>{first, first}); // the second beam does not count yet
  CHECK(beams.live()[0].tokens == Ids{0, 2});
  CHECK(beams.live()[1].tokens == Ids{0, 3});
  CHECK(beams.sources() == std::vector<uint32_t>{0, 0});
  CHECK_FALSE(beams.done());
  // b's best goes past a's second; a's end is third and so is not among the first two.
  beams.step(std::vector<C>{{{-1.0f, 4, false}, {-2.0f, 1, true}, {-3.0f, 5, false}},
                            {{-0.2f, 6, false}, {-2.0f, 4, false}}});
  CHECK(beams.live()[0].tokens == Ids{0, 3, 6});
  CHECK(beams.live()[1].tokens == Ids{0, 2, 4});
  CHECK(beams.sources() == std::vector<uint32_t>{1, 0});
  CHECK_FALSE(beams.best().tokens.back() == 1);
  // Both end: -1.2 - 0.1 and -1.5 - 0.1, over three tokens; nothing that lives on is better.
  beams.step(std::vector<C>{{{-0.1f, 1, true}, {-5.0f, 2, false}, {-6.0f, 3, false}},
                            {{-0.1f, 1, true}, {-5.0f, 2, false}}});
  CHECK(beams.done());
  CHECK(beams.best().tokens == Ids{0, 3, 6, 1});
  CHECK(beams.best().score == doctest::Approx(-1.3 / 3));
}

TEST_CASE("ranked beams: the length limit ends them, and so does a vocabulary without a way on") {
  RankedBeams limited({2, 1, 1.0f, EarlyStopping::Never, 3}, 0);
  using C = std::vector<RankedBeams::Candidate>;
  const C all = {{-0.5f, 2, false}, {-1.0f, 3, false}, {-3.0f, 4, false}, {-4.0f, 5, false}};
  limited.step(std::vector<C>{all, all});
  CHECK_FALSE(limited.done());
  limited.step(std::vector<C>{all, all});
  CHECK(limited.done());
  CHECK(limited.best().tokens == Ids{0, 2, 2});
  CHECK(limited.best().score == doctest::Approx(-0.5));

  RankedBeams stuck({3, 1, 1.0f, EarlyStopping::No, 10}, 0);
  stuck.step(std::vector<C>{{}, {}, {}});
  CHECK(stuck.done());
  CHECK(stuck.best().tokens == Ids{0});
}

TEST_CASE("batches of texts: every text once, of like length, in few sizes") {
  std::vector<uint32_t> lengths;
  for (uint32_t i = 0; i < 300; ++i) lengths.push_back(1 + (i * 37) % 200);
  std::set<uint32_t> seen;
  std::set<std::pair<uint32_t, uint32_t>> sizes;
  for (const TextBatch &batch : batch_texts(lengths, 32, 190)) {
    CHECK(batch.rows.size() <= batch.n_rows);
    CHECK(batch.n_rows <= 32);
    sizes.insert({batch.n_rows, batch.n_tokens});
    for (const uint32_t row : batch.rows) {
      CHECK(seen.insert(row).second);
      CHECK((lengths[row] <= batch.n_tokens || batch.n_tokens == 190));
    }
  }
  CHECK(seen.size() == lengths.size());
  CHECK(sizes.size() < 40);
  for (uint32_t n = 1; n < 2000; ++n) {
    CHECK(padded_length(n, 4096) >= n);
    CHECK(padded_length(n, 4096) <= n + std::max(8u, n / 2));
    CHECK(padded_length(n, n) == n);
  }
  const std::vector<std::vector<int32_t>> texts = {{5, 6, 7}, {8}};
  const PaddedRows rows = pad_rows({{1, 0}, 4, 4}, texts, 9);
  CHECK(rows.tokens == Ids{8, 9, 9, 9, 5, 6, 7, 9, 8, 9, 9, 9, 8, 9, 9, 9});
  CHECK(rows.mask == Ids{1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0});
}
