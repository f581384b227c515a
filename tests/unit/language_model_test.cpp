// Models of words: ARPA files into a flat file's metadata, and probabilities out of it, compared with a
// statement of what they mean; both as hostile input.
#include "support/ngram_files.h"
#include "tasks/ctc_search.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// The definition of an ARPA file's numbers, as natural logarithms.
double logprob_by_statement(const NgramTable &table, Words context, const std::string &word) {
  if (context.size() > table.order - 1)
    context.erase(context.begin(), context.end() - ptrdiff_t(table.order - 1));
  double back = 0;
  while (true) {
    Words whole = context;
    whole.push_back(word);
    if (const auto found = table.entries.find(whole); found != table.entries.end())
      return (back + found->second.first) * std::log(10);
    if (const auto found = table.entries.find(context); found != table.entries.end())
      back += found->second.second;
    context.erase(context.begin());
  }
}

// Of the logarithms of random_table.
const double kHalfStep = (3 - 0.1) * std::log(10) / 255 / 2 + 1e-5;

} // namespace

TEST_CASE("n-grams: an ARPA file's probabilities, at any order") {
  std::mt19937 random(5);
  for (size_t order = 1; order <= 4; ++order) {
    CAPTURE(order);
    const TempFolder folder;
    const NgramTable table = random_table(order, random);
    const AddedWords added = add_words(folder, arpa(table));
    REQUIRE(added.added);
    const auto model = NgramModel::read(file_with(folder, added.metadata));
    REQUIRE(model);
    CHECK(model->order() == order);
    CHECK(model->words() == Words{"A", "AB", "ABC", "B", "BA", "CAB"});
    for (int i = 0; i < 300; ++i) {
      Words context;
      for (auto n = random() % 5; n > 0; --n) context.push_back(model->words()[random() % 6]);
      const size_t word = random() % 6;
      const std::string before = join(context);
      CAPTURE(before);
      // A number and the back-offs before it are each off by half a step.
      CHECK(std::abs(double(model->logprob(context_of(*model, context), int32_t(word))) -
                     logprob_by_statement(table, context, model->words()[word])) <=
            kHalfStep * double(order));
      // Nothing is known of what is behind an unknown word.
      Words broken = {"XYZ"};
      broken.insert(broken.end(), context.begin(), context.end());
      CHECK(model->logprob(context_of(*model, broken), int32_t(word)) ==
            model->logprob(context_of(*model, context), int32_t(word)));
    }
  }
}

TEST_CASE("n-grams: a word that never happens takes no precision from the others") {
  const TempFolder folder;
  const NgramTable table{1, {{{"A"}, {-99, 0}}, {{"B"}, {-1, 0}}, {{"C"}, {-2, 0}}}};
  const auto model = NgramModel::read(file_with(folder, add_words(folder, arpa(table)).metadata));
  REQUIRE(model);
  const auto logprob = [&](int32_t word) { return double(model->logprob(NgramModel::no_words(), word)); };
  CHECK(logprob(0) == doctest::Approx(-30));
  CHECK(std::abs(logprob(1) + std::log(10)) < 0.06);
  CHECK(std::abs(logprob(2) + 2 * std::log(10)) < 0.06);
}

TEST_CASE("n-grams: words with a common beginning are a range") {
  const TempFolder folder;
  std::mt19937 random(6);
  const auto model =
      NgramModel::read(file_with(folder, add_words(folder, arpa(random_table(1, random))).metadata));
  REQUIRE(model);
  const auto a = model->narrow(model->all(), 0, 'A');
  CHECK((a.begin == 0 && a.end == 3));
  CHECK(model->exact(a, 1) == 0);
  CHECK(model->exact(a, 2) == NgramModel::kNone);
  const auto ab = model->narrow(a, 1, 'B');
  CHECK((ab.begin == 1 && ab.end == 3));
  CHECK(model->exact(ab, 2) == 1);
  CHECK(model->narrow(ab, 2, 'A').empty());
  CHECK(model->narrow(model->all(), 0, 'Z').empty());
  CHECK(model->exact(model->narrow(model->all(), 0, '\xC3'), 1) == NgramModel::kNone);
  CHECK(model->best_logprob(a) ==
        std::max({model->logprob(NgramModel::no_words(), 0), model->logprob(NgramModel::no_words(), 1),
                  model->logprob(NgramModel::no_words(), 2)}));
}

TEST_CASE("n-grams: metadata that is missing, or cannot be, is an Error that names the entry") {
  const TempFolder folder;
  std::mt19937 random(9);
  const AddedWords added = add_words(folder, arpa(random_table(2, random)));
  REQUIRE(added.metadata.count("fovea.ngram.2.words"));
  for (const auto &[key, value] : added.metadata) {
    const std::string name = key;
    CAPTURE(name);
    if (name != "fovea.ngram.order")
      CHECK_THROWS_WITH_AS(
          NgramModel::read(file_with(folder, added.metadata, [&](Metadata &m) { m.erase(name); })),
          doctest::Contains(name.c_str()), Error);
    CHECK_THROWS_WITH_AS(
        NgramModel::read(file_with(folder, added.metadata, [&](Metadata &m) { m[name] = true; })),
        doctest::Contains(name.c_str()), Error);
  }
  CHECK_FALSE(NgramModel::read(file_with(folder, {})));
  const auto begins = std::get<std::vector<int32_t>>(added.metadata.at("fovea.ngram.1.begins"));
  auto falling = begins, long_begins = begins, negative = begins;
  falling[1] = begins.back() + 1;
  long_begins.push_back(begins.back());
  negative[0] = -1;
  auto words = std::get<std::vector<int32_t>>(added.metadata.at("fovea.ngram.2.words"));
  REQUIRE(begins[1] > 1); // the first word is followed by two
  auto unsorted = words, unknown = words, few = words;
  std::swap(unsorted[0], unsorted[1]);
  unknown.back() = 6;
  few.pop_back();
  const auto coded = [](const std::vector<std::string> &pieces) { // of {"\0\1A"s, …}
    std::vector<uint8_t> bytes;
    for (const std::string &piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
    return bytes;
  };
  using namespace std::string_literals;
  REQUIRE(std::get<std::vector<uint8_t>>(added.metadata.at("fovea.ngram.words")) ==
          coded({"\0\1A"s, "\1\1B", "\2\1C", "\0\1B"s, "\1\1A", "\0\3CAB"s}));
  const std::pair<std::string, MetaData> faults[] = {
      {"fovea.ngram.order", 0u},
      {"fovea.ngram.order", 7u},
      {"fovea.ngram.order", 3u}, // no such n-grams
      {"fovea.ngram.words", coded({})},
      {"fovea.ngram.words", coded({"\0\1A"s, "\1\1B", "\2\0"s, "\0\1B"s, "\1\1A", "\0\3CAB"s})}, // one twice
      {"fovea.ngram.words",
       coded({"\0\0"s, "\0\1A"s, "\1\1B", "\0\1B"s, "\1\1A", "\0\3CAB"s})}, // an empty one
      {"fovea.ngram.words", coded({"\0\1A"s, "\1\1B", "\2\1C", "\0\1B"s, "\1\1A", "\0\1\xff"s})},
      {"fovea.ngram.words", coded({"\0\1A"s, "\1\1B", "\2\1C", "\0\1B"s, "\0\x80"s + std::string(128, 'C'),
                                   "\x80\xff" + std::string(255, 'C')})}, // too long
      {"fovea.ngram.words",
       coded({"\1\1A", "\1\1B", "\2\1C", "\0\1B"s, "\1\1A", "\0\3CAB"s})}, // of none before
      {"fovea.ngram.words",
       coded({"\0\1A"s, "\1\1B", "\3\1C", "\0\1B"s, "\1\1A", "\0\3CAB"s})}, // more than it has
      {"fovea.ngram.words", coded({"\0\1A"s, "\1\1B", "\2\1C", "\0\1B"s, "\1\1A", "\0\3CA"s})}, // cut short
      {"fovea.ngram.words", coded({"\0\1A"s, "\1\1B", "\2\1C", "\0\1B"s, "\1\1A", "\0"s})},
      {"fovea.ngram.1.logprobs", std::vector<uint8_t>(5)},
      {"fovea.ngram.1.logprobs_range", std::vector<float>{NAN, 0.1f}},
      {"fovea.ngram.1.logprobs_range", std::vector<float>{-9, -0.1f}},
      {"fovea.ngram.1.backoffs_range", std::vector<float>{-9}},
      {"fovea.ngram.1.begins", falling},
      {"fovea.ngram.1.begins", long_begins},
      {"fovea.ngram.1.begins", negative},
      {"fovea.ngram.2.words", unsorted},
      {"fovea.ngram.2.words", unknown},
      {"fovea.ngram.2.words", few},
      {"fovea.ngram.2.logprobs", std::vector<uint8_t>{}},
  };
  for (const auto &[key, value] : faults) {
    const std::string name = key;
    CAPTURE(name);
    const MetaData &wrong = value;
    CHECK_THROWS_AS(
        NgramModel::read(file_with(folder, added.metadata, [&](Metadata &m) { m[name] = wrong; })), Error);
  }
  const std::pair<std::string, MetaData> settings[] = {{"beams", 0u},          {"beams", 1025u},
                                                       {"word_weight", -1.0f}, {"word_weight", NAN},
                                                       {"word_bonus", 1e6f},   {"unknown_word", 1.0f}};
  for (const auto &[key, value] : settings) {
    const std::string name = "fovea.transcribe.ctc." + key;
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(CtcSearchSettings::read(file_with(folder, {{name, value}})),
                         doctest::Contains(name.c_str()), Error);
  }
}

TEST_CASE("language model: what is no ARPA file is an Error that names the line") {
  const std::string head = "\\data\\\nngram 1=2\nngram 2=1\n\\1-grams:\n-1\tA\t-0.5\n-2\tB\n\\2-grams:\n";
  const std::pair<std::string, std::string> faults[] = {
      {"", "line 0: the file ends before \\data\\"},
      {"nothing\nof the kind\n", "line 2: the file ends before \\data\\"},
      {"\\data\\\n", "no 'ngram 1=COUNT'"},
      {"\\data\\\nngram 2=1\n", "line 2: 'ngram 2=1', expected 'ngram 1=COUNT'"},
      {"\\data\\\nngram 1=x\n", "line 2: 'ngram 1=x'"},
      {"\\data\\\nngram 1=1\nwhat\n", "line 3: 'what', expected \\1-grams:"},
      {"\\data\\\nngram 1=1\n\\1-grams:\nx\tA\n", "line 4: 'x', expected a logarithm"},
      {"\\data\\\nngram 1=1\n\\1-grams:\nnan\tA\n", "line 4: 'nan'"},
      {"\\data\\\nngram 1=1\n\\1-grams:\n-1\n", "line 4: '', expected a word"},
      {"\\data\\\nngram 1=1\n\\1-grams:\n-1\t\xff\n", "expected a word in UTF-8"},
      {"\\data\\\nngram 1=1\n\\1-grams:\n-1\tA\n", "the file ends before \\end\\"},
      {"\\data\\\nngram 1=2\n\\1-grams:\n-1\tA\n\\end\\\n", "1 1-grams above, 2 announced"},
      {"\\data\\\nngram 1=2\n\\1-grams:\n-1\tA\n-1\tA\n\\end\\\n", "'A' is there twice"},
      {"\\data\\\nngram 1=1\n\\1-grams:\n-1\t<s>\n\\end\\\n", "no word above"},
      {head + "-1\tA C\n\\end\\\n", "line 8: 'C' is not among the single words"},
      {head + "-1\tA\n\\end\\\n", "line 8: '' is not among the single words"},
      {head + "-1\tA B\n", "the file ends before \\end\\"},
      {head + "-1\tA B\n\\3-grams:\n", "'\\3-grams:', expected \\end\\"},
      {"\\data\\\nngram 1=2\nngram 2=0\nngram 3=1\n\\1-grams:\n-1\tA\n-1\tB\n\\2-grams:\n\\3-grams:\n-1\tA B "
       "A\n\\end\\\n",
       "a 3-gram above begins with 'A' and continues no 2-gram"},
      {"\\data\\\nngram 1=1\nngram 2=1\nngram 3=1\nngram 4=1\nngram 5=1\nngram 6=1\nngram 7=1\n",
       "7-grams, at most 6"},
  };
  for (const auto &[text, what] : faults) {
    const TempFolder folder;
    const std::string message = what;
    CAPTURE(message);
    CHECK_THROWS_WITH_AS(add_words(folder, text), doctest::Contains(message.c_str()), Error);
    CHECK_THROWS_WITH_AS(add_words(folder, text), doctest::Contains("words.arpa"), Error);
  }
}

TEST_CASE("language model: settings beside it, and what cannot be used is said") {
  const TempFolder folder;
  const std::string text = "\\data\\\nngram 1=2\n\\1-grams:\n-1\tA\n-2\tBA\n\\end\\\n";
  std::filesystem::create_directories(folder / "language_model");
  write_file(folder / "language_model/attrs.json",
             R"({"alpha": 0.25, "beta": 2, "unk_score_offset": -7, "score_boundary": true})");
  const AddedWords added = add_words(folder, text);
  const ModelFile file = file_with(folder, added.metadata);
  const CtcSearchSettings settings = CtcSearchSettings::read(file);
  CHECK(settings.weight == 0.25f);
  CHECK(settings.bonus == 2);
  CHECK(settings.unknown == -7);
  CHECK(settings.n_beams == 100);

  const AddedWords other = add_words(folder, text, {"", "|", "x", "y"});
  CHECK_FALSE(other.added);
  CHECK(other.metadata.empty());
  REQUIRE(other.warnings.size() == 1);
  CHECK(other.warnings[0].find("letters that the model does not write ('BA')") != std::string::npos);

  write_file(folder / "language_model/second.arpa", text);
  CHECK_THROWS_WITH_AS(add_words(folder, text), doctest::Contains("several .arpa files"), Error);
  std::filesystem::remove_all(folder / "language_model");
  const auto without = [&] {
    Source source(folder.path(), "test");
    source.texts_in_folder();
    ModelPlan plan;
    CHECK_FALSE(add_language_model(source, kWordTokens, plan));
    return plan.warnings;
  };
  CHECK(without().empty());
  std::filesystem::create_directories(folder / "language_model");
  write_file(folder / "language_model/5gram.bin", "mmap lm");
  REQUIRE(without().size() == 1);
  CHECK(without()[0].find("5gram.bin: a language model in a packed form") != std::string::npos);
}
