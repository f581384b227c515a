#include "model_arguments.h"

#include <fovea/generate.hpp>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace tool {
namespace {

constexpr size_t kMaxPromptBytes = 64 << 20;

struct Arguments : ModelArguments {
  std::string prompt, file, system, cache;
  bool has_prompt = false, chat = false, json = false, quiet = false;
  bool ignore_end = false, special = false;
  std::vector<std::string> stop;
  fovea::GenerateOptions options;
  uint32_t context = 0;
};

/// std::cin takes an error, of a closed file or a folder, for the end.
void check_stdin() {
  if (std::ferror(stdin)) fail(FOVEA_IO, {"standard input: cannot be read: ", std::strerror(errno)});
}

std::string read_all(std::istream &in, const std::string &name) {
  std::string text;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, size_t(in.gcount()));
    if (text.size() > kMaxPromptBytes) fail(FOVEA_INVALID_ARGUMENT, {name, ": a prompt of more than 64 MiB"});
  }
  if (in.bad()) fail(FOVEA_IO, {name, ": cannot be read"});
  check_stdin();
  if (text.find('\0') != std::string::npos)
    fail(FOVEA_INVALID_ARGUMENT, {name, ": has a zero byte: not a text"});
  return text;
}

/// -p, --file, or standard input. One newline at the end of a file or pipe is the file's, not the prompt's.
std::string read_prompt(const Arguments &a) {
  if (a.has_prompt) return a.prompt;
  std::string text;
  if (a.file.empty() || a.file == "-") {
    text = read_all(std::cin, "standard input");
  } else {
    std::ifstream in(a.file, std::ios::binary);
    if (!in) fail(FOVEA_NOT_FOUND, {a.file, ": cannot be opened"});
    text = read_all(in, a.file);
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

double rate(double n, double seconds) { return seconds > 0 ? n / seconds : 0; }

std::string summary(const fovea::Generation &generation) {
  const fovea_generate_timings &t = generation.timings();
  const auto n_read = double(t.n_prompt - t.n_reused);
  // The first token of a reply comes out of reading the prompt.
  const double n_steps = t.n_generated > 0 ? double(t.n_generated - 1) : 0;
  return format("prompt: %.0f tokens in %.2f s, %.1f tokens/s; reply: %.0f tokens in %.2f s, %.1f tokens/s; "
                "finish: %s",
                n_read, t.prompt_s, rate(n_read, t.prompt_s), double(t.n_generated), t.generate_s,
                rate(n_steps, t.generate_s), fovea_finish_name(generation.finish()));
}

std::string to_json(const fovea::Generation &generation) {
  const fovea_generate_timings &t = generation.timings();
  const nlohmann::ordered_json json = {
      {"text", generation.text()},
      {"finish", fovea_finish_name(generation.finish())},
      {"tokens", generation.tokens()},
      {"prompt_tokens", generation.prompt()},
      {"timings",
       {{"total_s", t.total_s},
        {"prompt_s", t.prompt_s},
        {"generate_s", t.generate_s},
        {"n_prompt", t.n_prompt},
        {"n_reused", t.n_reused},
        {"n_generated", t.n_generated},
        {"prompt_tokens_per_s", rate(double(t.n_prompt - t.n_reused), t.prompt_s)},
        {"tokens_per_s", rate(t.n_generated > 0 ? double(t.n_generated - 1) : 0, t.generate_s)}}}};
  return json.dump() + "\n";
}

/// Runs `call` with a callback that prints text as it comes; then what is asked for beside it.
template <class Call> fovea::Generation show(const Arguments &a, Call &&call) {
  fovea::TextCallback callback;
  if (!a.json)
    callback = [](const char *text) {
      print(text);
      return true;
    };
  auto generation = call(callback).value();
  print(a.json ? to_json(generation) : "\n");
  if (!a.quiet && !a.json) std::fprintf(stderr, "%s\n", summary(generation).c_str());
  return generation;
}

/// Turns until the end of standard input, or one with a prompt.
int chat(const Arguments &a, fovea::Generator &generator) {
  if (!generator.chat_format())
    fail(FOVEA_UNSUPPORTED,
         {a.model, ": no chat format: the model was published without a chat template, or with "
                   "one that the converter does not know; use -p without --chat"});
  std::vector<std::pair<std::string, std::string>> turns; // role, content
  if (!a.system.empty()) turns.emplace_back("system", a.system);
  const bool once = a.has_prompt || !a.file.empty(), prompts = !once && isatty(STDIN_FILENO) == 1;
  for (;;) {
    std::string line;
    if (once) {
      line = read_prompt(a);
    } else {
      if (prompts) std::fputs("> ", stderr);
      if (!std::getline(std::cin, line)) break;
      if (line.empty()) continue;
    }
    turns.emplace_back("user", line);
    std::vector<fovea_message> messages;
    for (const auto &[role, content] : turns) messages.push_back({role.c_str(), content.c_str()});
    const auto generation =
        show(a, [&](const fovea::TextCallback &text) { return generator.chat(messages, a.options, text); });
    turns.emplace_back("assistant", generation.text());
    if (once) break;
  }
  check_stdin();
  if (prompts) std::fputs("\n", stderr);
  return kOk;
}

int generate(Arguments &a) {
  if (a.has_prompt && !a.file.empty()) throw UsageError("-p and --file are two prompts");
  if (!a.system.empty() && !a.chat) throw UsageError("--system goes with --chat");
  std::vector<const char *> stop;
  for (const std::string &text : a.stop) stop.push_back(text.c_str());
  fovea::GenerateOptions &o = a.options;
  o.stop = stop.data();
  o.n_stop = stop.size();
  o.ignore_end = a.ignore_end;
  o.special = a.special;
  o.cancel = interrupt().get();

  fovea::GeneratorOptions made;
  made.context = a.context;
  if (!a.cache.empty()) made.cache = a.cache == "q8" ? FOVEA_CACHE_Q8 : FOVEA_CACHE_F16;
  auto generator = open_task<fovea::Generator>(a, made);
  if (a.chat) return chat(a, generator);
  const std::string prompt = read_prompt(a);
  show(a, [&](const fovea::TextCallback &text) { return generator.generate(prompt, o, text); });
  return kOk;
}

} // namespace

void add_generate(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("generate", "Continue a text, or answer");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A text model");
  CLI::Option *prompt =
      command->add_option("-p,--prompt", a->prompt, "The text to go on from (default: standard input)")
          ->option_text("TEXT");
  command->add_option("-f,--file", a->file, "A file that holds it; - is standard input")->option_text("PATH");
  command->add_flag("--chat", a->chat, "A conversation, line by line; with -p or --file one answer");
  command->add_option("--system", a->system, "What the model is told before a conversation")
      ->option_text("TEXT");
  command
      ->add_option("-n,--max-tokens", a->options.max_tokens,
                   "Most tokens of a reply (default: until the model ends, or the context is full)")
      ->option_text("N");
  command
      ->add_option("--context", a->context,
                   "Tokens that prompt and reply may take together (default: the model's, at most 4096)")
      ->option_text("N");
  command
      ->add_option("--cache", a->cache,
                   "How what was read is kept: f16, or q8 in half the memory (default: as the file says)")
      ->check(CLI::IsMember({"f16", "q8"}))
      ->option_text("f16|q8");
  command
      ->add_option("-t,--temperature", a->options.temperature,
                   "0: the likeliest words; above: sampled (default: the model's, or 0)")
      ->check(number(0, 1000))
      ->option_text("NUMBER");
  command->add_option("--top-k", a->options.top_k, "Sample from so many likeliest tokens; 0: all")
      ->option_text("N");
  command->add_option("--top-p", a->options.top_p, "... from the likeliest that together are so probable")
      ->check(number(0, 1))
      ->option_text("NUMBER");
  command->add_option("--min-p", a->options.min_p, "... from those so probable relative to the likeliest")
      ->check(number(0, 1))
      ->option_text("NUMBER");
  command
      ->add_option("--repeat-penalty", a->options.repeat_penalty,
                   "Above 1: tokens that are there already become less likely")
      ->check(number_above_zero())
      ->option_text("NUMBER");
  command->add_option("--seed", a->options.seed, "Of sampling (default: 0)")
      ->check(whole_number())
      ->option_text("N");
  command->add_option("--stop", a->stop, "A text that ends the reply; may be given several times")
      ->check(some_text())
      ->option_text("TEXT")
      ->allow_extra_args(false);
  command->add_flag("--ignore-end", a->ignore_end, "Go on where the model would end");
  command->add_flag("--special", a->special, "Read control tokens written in the prompt as such");
  command->add_flag("--json", a->json, "One JSON document a reply: text, tokens, how it ended, times");
  add_device(*command, *a);
  command->add_flag("-q,--quiet", a->quiet, "No summary on stderr");
  command->footer(R"(
Text is printed as it comes; times go to stderr. A full context ends the reply; nothing is shifted out of it.
Example:
  fovea generate llama.fovea.gguf -p "Once upon a time" -n 100
  fovea generate llama.fovea.gguf --chat --system "Answer in one sentence.")");
  command->callback([&exit_code, a, prompt] {
    a->has_prompt = prompt->count() > 0;
    exit_code = generate(*a);
  });
}

} // namespace tool
