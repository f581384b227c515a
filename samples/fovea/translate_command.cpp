// fovea translate: text to text.
#include "model_arguments.h"
#include "text_lines.h"

#include <fovea/translate.hpp>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::string task, target, early_stopping;
  std::optional<std::string> prefix;
  std::vector<std::string> texts;
  fovea::TranslateOptions options;
  bool ids = false, json = false;
};

fovea_early_stopping parse_early_stopping(const std::string &text) {
  if (text == "yes") return FOVEA_EARLY_STOPPING_YES;
  if (text == "no") return FOVEA_EARLY_STOPPING_NO;
  return text == "never" ? FOVEA_EARLY_STOPPING_NEVER : FOVEA_EARLY_STOPPING_MODEL;
}

void write(const Arguments &a, const std::string &source, const fovea_translation &t) {
  if (t.source_truncated)
    std::fprintf(stderr, "fovea: warning: a text is longer than the model takes; its end was left out\n");
  std::string line;
  if (a.json) {
    nlohmann::json row = {
        {"source", source}, {"ended", t.ended != 0}, {"truncated", t.source_truncated != 0}};
    if (!a.ids) row["text"] = t.text;
    row["tokens"] = std::vector<int32_t>(t.tokens, t.tokens + t.n_tokens);
    if (t.score != 0) row["score"] = t.score;
    line = row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else if (a.ids) {
    for (size_t i = 0; i < t.n_tokens; ++i) line += (i ? " " : "") + std::to_string(t.tokens[i]);
  } else {
    line = t.text;
    for (char &c : line)
      if (c == '\n' || c == '\r') c = ' '; // a line for each text
  }
  print(line + "\n");
}

int translate(Arguments &a) {
  fovea::TranslateOptions &o = a.options;
  check_search(o.max_tokens, o.min_tokens);
  if (!a.task.empty()) o.task = a.task.c_str();
  if (a.prefix) o.prefix = a.prefix->c_str();
  if (!a.target.empty()) o.target = a.target.c_str();
  o.early_stopping = parse_early_stopping(a.early_stopping);
  o.cancel = interrupt().get();
  TextLines lines(a.texts);
  auto translator = open_task<fovea::Translator>(a, fovea::TranslatorOptions());
  for (auto texts = lines.next(); !texts.empty(); texts = lines.next()) {
    std::vector<std::vector<int32_t>> ids;
    if (a.ids)
      for (const std::string &text : texts) ids.push_back(parse_ids(text));
    const auto results =
        a.ids ? translator.translate_tokens(ids, o).value() : translator.translate(texts, o).value();
    for (size_t i = 0; i < results.size(); ++i) write(a, texts[i], results[i]);
  }
  return kOk;
}

} // namespace

void add_translate(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("translate", "Translate, summarize or otherwise rewrite texts");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A text-to-text model");
  add_texts(*command, a->texts);
  add_search(*command, a->options.beams, a->options.max_tokens, a->options.min_tokens);
  command
      ->add_option("--task", a->task,
                   "Settings of one of the model's tasks, its prefix included: summarization …")
      ->option_text("NAME");
  command
      ->add_option("--prefix", a->prefix,
                   "Put before every text: \"translate English to German: \" (default: the task's)")
      ->option_text("TEXT");
  command
      ->add_option("--target", a->target,
                   "Token that results begin with: the language, where models are told it so")
      ->option_text("TOKEN");
  command
      ->add_option("--length-penalty", a->options.length_penalty,
                   "Above 0, beams favour long results (default: the model's)")
      ->check(number())
      ->option_text("NUMBER");
  command
      ->add_option("--early-stopping", a->early_stopping,
                   "When beams end: yes, no or never (default: the model's)")
      ->check(CLI::IsMember({"yes", "no", "never"}))
      ->option_text("yes|no|never");
  command
      ->add_option("--no-repeat-ngram", a->options.no_repeat_ngram,
                   "No run of N tokens twice; 0: off (default: the model's)")
      ->check(CLI::Range(0, 1 << 20))
      ->option_text("N");
  command
      ->add_option("--repeat-penalty", a->options.repetition_penalty,
                   "Above 1, tokens already written are less likely (default: the model's)")
      ->check(number_above_zero())
      ->option_text("NUMBER");
  command->add_flag("--ids", a->ids, "Texts and results are lists of token ids: \"1 9 22 2\"");
  command->add_flag("--json", a->json, "A JSON object a line: source, text, tokens, score, ended, truncated");
  add_device(*command, *a);
  command->footer(R"(
One line of output for each text, in their order; texts of like length run side by side.
Example:
  fovea translate opus-mt-en-de.fovea.gguf "Ask not what your country can do for you.")");
  command->callback([&exit_code, a] { exit_code = translate(*a); });
}

} // namespace tool
