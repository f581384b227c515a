// Models of words for tests: as tables, as ARPA files, and in a flat file.
#pragma once

#include "converter/language_model.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"
#include "tasks/ngram_model.h"

#include <filesystem>
#include <random>

namespace fovea::test {

using Metadata = std::map<std::string, MetaData>;
using Words = std::vector<std::string>;

inline const std::vector<std::string> kWordTokens = {"", "|", "", "A", "B", "C"};

/// Log10 of probabilities and of back-offs, by words.
struct NgramTable {
  size_t order = 1;
  std::map<Words, std::pair<double, double>> entries;
};

inline std::string join(const Words &words) {
  std::string out;
  for (const std::string &word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

inline std::string arpa(const NgramTable &table) {
  std::string out = "made by a test\n\n\\data\\\n";
  const auto count = [&](size_t n) {
    return std::count_if(table.entries.begin(), table.entries.end(),
                         [&](const auto &e) { return e.first.size() == n; });
  };
  for (size_t n = 1; n <= table.order; ++n) out += concat("ngram ", n, "=", count(n), "\n");
  for (size_t n = 1; n <= table.order; ++n) {
    out += concat("\n\\", n, "-grams:\n");
    for (const auto &[words, logs] : table.entries)
      if (words.size() == n)
        out += concat(logs.first, "\t", join(words), n < table.order ? concat("\t", logs.second) : "", "\n");
  }
  return out + "\n\\end\\\n";
}

/// Every n-gram's beginning is there, as in files of all tools.
inline NgramTable random_table(size_t order, std::mt19937 &random) {
  std::uniform_real_distribution<double> log(-3, -0.1);
  NgramTable table;
  table.order = order;
  const Words words = {"A", "AB", "ABC", "B", "BA", "CAB", "<s>", "</s>", "<unk>"};
  for (const std::string &word : words) table.entries[{word}] = {log(random), log(random)};
  for (size_t n = 2; n <= order; ++n) {
    const auto shorter = table.entries;
    for (const auto &[before, logs] : shorter)
      for (const std::string &word : words)
        if (before.size() == n - 1 && random() % 3 == 0) {
          Words longer = before;
          longer.push_back(word);
          table.entries[longer] = {log(random), log(random)};
        }
  }
  return table;
}

struct AddedWords {
  Metadata metadata;
  std::vector<std::string> warnings;
  bool added = false;
};

inline AddedWords add_words(const TempFolder &folder, const std::string &text,
                            const std::vector<std::string> &tokens = kWordTokens) {
  std::filesystem::create_directories(folder / "language_model");
  write_file(folder / "language_model/words.arpa", text);
  Source source(folder.path(), "test");
  source.texts_in_folder();
  ModelPlan plan;
  AddedWords out;
  out.added = add_language_model(source, tokens, plan);
  out.warnings = plan.warnings;
  for (auto &[key, value] : plan.metadata) out.metadata[key] = value;
  return out;
}

/// The file with a model of words; `edit` changes its metadata.
inline ModelFile file_with(const TempFolder &folder, const Metadata &metadata,
                           const std::function<void(Metadata &)> &edit = {}) {
  const std::string path = folder / "with.gguf";
  write_tiny_ctc_model(path, {[&](Metadata &m) {
                                m["fovea.transcribe.ctc.tokens"] = kWordTokens;
                                m.insert(metadata.begin(), metadata.end());
                                if (edit) edit(m);
                              },
                              {}});
  return ModelFile(path);
}

inline NgramModel::Context context_of(const NgramModel &model, const Words &words) {
  NgramModel::Context context = NgramModel::no_words();
  for (const std::string &word : words) {
    const auto at = std::find(model.words().begin(), model.words().end(), word);
    context = NgramModel::after(context, at == model.words().end() ? NgramModel::kNone
                                                                   : int32_t(at - model.words().begin()));
  }
  return context;
}

} // namespace fovea::test
