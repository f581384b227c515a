// The search for the likeliest text of a CTC model's frames, compared with a statement of what that is.
#include "support/ngram_files.h"
#include "tasks/ctc_search.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// Words of a text with spaces.
Words split(const std::string &text) {
  Words out;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ')
      word += c;
    else if (!word.empty())
      out.push_back(std::exchange(word, {}));
  }
  return out;
}

double words_by_statement(const NgramModel &model, const CtcSearchSettings &settings, const Words &words) {
  double score = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto at = std::find(model.words().begin(), model.words().end(), words[i]);
    const auto context = context_of(model, Words(words.begin(), words.begin() + ptrdiff_t(i)));
    score += at == model.words().end()
                 ? settings.unknown
                 : settings.weight * model.logprob(context, int32_t(at - model.words().begin()));
    score += settings.bonus;
  }
  return score;
}

std::string text_of(const CtcSpec &spec, const std::vector<CtcFrame> &frames) {
  CtcReader reader(spec);
  std::string out;
  auto words = reader.push(frames);
  for (CtcWord &word : reader.finish()) words.push_back(std::move(word));
  for (const CtcWord &word : words) out += std::string(out.empty() ? 0 : word.n_spaces, ' ') + word.text;
  return out;
}

} // namespace

TEST_CASE("ctc search: the text that the sum of all ways, and the words, make likeliest") {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 1.5f);
  const TempFolder folder;
  const AddedWords added = add_words(folder, arpa(random_table(2, random)));
  const ModelFile file = file_with(folder, added.metadata);
  const CtcSpec spec = CtcSpec::read(file);
  const auto model = NgramModel::read(file);
  REQUIRE(model);
  constexpr size_t kFrames = 5, kClasses = 6;
  int n_differ = 0;
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    CtcSearchSettings settings;
    settings.n_beams = 1000;
    settings.unknown = round % 2 ? -4 : -1;
    CtcSearch search(spec, *model, settings);
    std::vector<CtcFrame> candidates, greedy;
    std::vector<std::vector<float>> logprobs;
    for (size_t f = 0; f < kFrames; ++f) {
      std::vector<float> row(kClasses);
      double sum = 0;
      for (float &x : row) sum += std::exp(double(x = normal(random)));
      for (float &x : row) x -= float(std::log(sum));
      std::vector<CtcFrame> sorted;
      for (size_t c = 0; c < kClasses; ++c) sorted.push_back({int32_t(c), row[c]});
      std::sort(sorted.begin(), sorted.end(), [](auto &a, auto &b) { return a.logprob > b.logprob; });
      candidates.insert(candidates.end(), sorted.begin(), sorted.end());
      greedy.push_back(sorted[0]);
      logprobs.push_back(row);
    }
    // Every way through the frames, by the text that it writes.
    std::map<std::string, double> sums, best_ways;
    for (size_t way = 0; way < size_t(std::pow(kClasses, kFrames)); ++way) {
      std::vector<CtcFrame> frames;
      double logprob = 0;
      for (size_t f = 0, rest = way; f < kFrames; ++f, rest /= kClasses) {
        frames.push_back({int32_t(rest % kClasses), 0});
        logprob += double(logprobs[f][rest % kClasses]);
      }
      const std::string text = join(split(text_of(spec, frames)));
      sums[text] += std::exp(logprob);
      const auto [at, is_new] = best_ways.emplace(text, logprob);
      if (!is_new) at->second = std::max(at->second, logprob);
    }
    std::string want;
    double most = -INFINITY;
    for (const auto &[text, sum] : sums) {
      const double score = std::log(sum) + words_by_statement(*model, settings, split(text));
      if (score > most) most = score, want = text;
    }
    const std::vector<CtcFrame> got = search.run(candidates, kClasses);
    REQUIRE(got.size() == kFrames);
    CHECK(text_of(spec, got) == want); // and one space between words
    // The likeliest way that writes it.
    double logprob = 0;
    for (size_t f = 0; f < kFrames; ++f) logprob += double(got[f].logprob);
    CHECK(logprob == doctest::Approx(best_ways[want]).epsilon(1e-4));
    n_differ += want != join(split(text_of(spec, greedy)));
    // Again, with nothing left over from before.
    CHECK(text_of(spec, search.run(candidates, kClasses)) == want);
  }
  CHECK(n_differ > 20); // else the words had no say
}

TEST_CASE("ctc search: one candidate a frame leaves nothing to search") {
  const TempFolder folder;
  std::mt19937 random(8);
  const ModelFile file = file_with(folder, add_words(folder, arpa(random_table(2, random))).metadata);
  const CtcSpec spec = CtcSpec::read(file);
  const auto model = NgramModel::read(file);
  CtcSearch search(spec, *model, CtcSearchSettings::read(file));
  std::vector<CtcFrame> frames;
  for (const int32_t token : {3, 0, 3, 4, 1, 1, 5, 2, 5, 0, 1, 3}) frames.push_back({token, -20});
  CHECK(text_of(spec, search.run(frames, 1)) == "AAB CC A");
  CHECK(search.run({}, 1).empty());
}
