// fovea embed: a vector for each text.
#include "commands.h"
#include "console.h"
#include "text_lines.h"

#include <fovea/embed.hpp>

#include <nlohmann/json.hpp>
#include <optional>

namespace tool {
namespace {

struct Arguments {
  std::string model, device, format = "json", output, prefix;
  std::vector<std::string> texts;
  bool has_prefix = false, no_verify = false;
};

fovea::Embedder make_embedder(const Arguments &a) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  fovea::EmbedderOptions made;
  made.user = &bar;
  made.progress = [](void *user, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, bytes_text(total));
    return int(interrupt().requested());
  };
  return fovea::Embedder::create(device, model, made).value();
}

std::string json_line(const std::string &text, const float *values, size_t n) {
  nlohmann::json row;
  row["text"] = text;
  row["embedding"] = std::vector<float>(values, values + n);
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int embed(Arguments &a) {
  fovea::EmbedOptions options;
  if (a.has_prefix) options.prefix = a.prefix.c_str();
  options.cancel = interrupt().get();
  TextLines lines(a.texts);
  auto embedder = make_embedder(a);
  std::optional<OutputFile> file;
  if (!a.output.empty()) file.emplace(a.output);
  for (auto texts = lines.next(); !texts.empty(); texts = lines.next()) {
    const auto results = embedder.embed(texts, options).value();
    for (size_t i = 0; i < results.size(); ++i) {
      if (results.truncated(i))
        std::fprintf(stderr, "fovea: warning: a text has more than %u tokens; its end was left out\n",
                     embedder.max_tokens());
      const size_t width = results.width();
      const std::string bytes =
          a.format == "json" ? json_line(texts[i], results[i], width)
                             : std::string(reinterpret_cast<const char *>(results[i]), width * sizeof(float));
      file ? file->write(bytes) : print(bytes);
    }
  }
  if (file) file->commit();
  return kOk;
}

} // namespace

void add_embed(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("embed", "Turn texts into vectors that say what they are about");
  const auto a = std::make_shared<Arguments>();
  command->add_option("MODEL", a->model, "An embedding model file (see fovea convert)")
      ->required()
      ->option_text(" ");
  command
      ->add_option("TEXT", a->texts, "Texts, each for itself; - reads them from standard input, one a line")
      ->required()
      ->option_text("...");
  command
      ->add_option("-f,--format", a->format,
                   "json: an object a line; f32: binary, little-endian, one after another (default: json)")
      ->check(CLI::IsMember({"json", "f32"}))
      ->option_text("FORMAT");
  command->add_option("-o,--output", a->output, "File (default: standard output)")->option_text("PATH");
  command
      ->add_option_function<std::string>(
          "--prefix",
          [a](const std::string &text) {
            a->prefix = text;
            a->has_prefix = true;
          },
          "Put before every text: \"query: \" (default: the model's own, if any)")
      ->option_text("TEXT");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
A vector for each text, in their order; texts of like length run side by side. Compare vectors by their cosine.
Example:
  fovea embed minilm.fovea.gguf "a cat on a mat" "a dog in the fog")");
  command->callback([&exit_code, a] { exit_code = embed(*a); });
}

} // namespace tool
