// fovea translate: text to text.
#include "commands.h"
#include "console.h"
#include "text_lines.h"

#include <fovea/translate.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments {
  std::string model, device, task, prefix, target, early_stopping;
  std::vector<std::string> texts;
  fovea::TranslateOptions options;
  bool has_prefix = false, ids = false, json = false, no_verify = false;
};

fovea_early_stopping parse_early_stopping(const std::string &text) {
  if (text == "yes") return FOVEA_EARLY_STOPPING_YES;
  if (text == "no") return FOVEA_EARLY_STOPPING_NO;
  return text == "never" ? FOVEA_EARLY_STOPPING_NEVER : FOVEA_EARLY_STOPPING_MODEL;
}

fovea::Translator make_translator(const Arguments &a) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  fovea::TranslatorOptions made;
  made.user = &bar;
  made.progress = [](void *user, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, bytes_text(total));
    return int(interrupt().requested());
  };
  return fovea::Translator::create(device, model, made).value();
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
  if (!a.task.empty()) o.task = a.task.c_str();
  if (a.has_prefix) o.prefix = a.prefix.c_str();
  if (!a.target.empty()) o.target = a.target.c_str();
  o.early_stopping = parse_early_stopping(a.early_stopping);
  o.cancel = interrupt().get();
  TextLines lines(a.texts);
  auto translator = make_translator(a);
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
  command->add_option("MODEL", a->model, "A text-to-text model file (see fovea convert)")
      ->required()
      ->option_text(" ");
  command
      ->add_option("TEXT", a->texts, "Texts, each for itself; - reads them from standard input, one a line")
      ->required()
      ->option_text("...");
  command
      ->add_option("--beams", a->options.beams,
                   "Sequences searched side by side; 1 is greedy (default: the model's)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command
      ->add_option("--max-tokens", a->options.max_tokens, "Of each result (default: the model's, else 256)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command->add_option("--min-tokens", a->options.min_tokens, "Of each result (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command
      ->add_option("--task", a->task,
                   "Settings of one of the model's tasks, its prefix included: summarization …")
      ->option_text("NAME");
  command
      ->add_option_function<std::string>(
          "--prefix",
          [a](const std::string &text) {
            a->prefix = text;
            a->has_prefix = true;
          },
          "Put before every text: \"translate English to German: \" (default: the task's)")
      ->option_text("TEXT");
  command
      ->add_option("--target", a->target,
                   "Token that results begin with: the language, where models are told it so")
      ->option_text("TOKEN");
  command
      ->add_option("--length-penalty", a->options.length_penalty,
                   "Above 0, beams favour long results (default: the model's)")
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
      ->option_text("NUMBER");
  command->add_flag("--ids", a->ids, "Texts and results are lists of token ids: \"1 9 22 2\"");
  command->add_flag("--json", a->json, "A JSON object a line: source, text, tokens, score, ended, truncated");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
One line of output for each text, in their order; texts of like length run side by side.
Example:
  fovea translate opus-mt-en-de.fovea.gguf "Ask not what your country can do for you.")");
  command->callback([&exit_code, a] { exit_code = translate(*a); });
}

} // namespace tool
