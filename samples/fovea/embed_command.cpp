// fovea embed: a vector for each text or picture.
#include "image_inputs.h"
#include "model_arguments.h"
#include "text_lines.h"

#include <fovea/embed.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::string format = "json", output;
  std::vector<std::string> inputs;
  std::optional<std::string> prefix;
  bool images = false, texts = false;
};

std::string json_line(const char *key, const std::string &text, const float *values, size_t n) {
  nlohmann::json row;
  row[key] = text;
  row["embedding"] = std::vector<float>(values, values + n);
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Writes where the user wants it.
class Rows {
public:
  explicit Rows(const Arguments &a) : a_(a) {
    if (!a.output.empty()) file_.emplace(a.output);
  }
  void add(const char *key, const std::string &input, const float *values, size_t width) {
    const std::string bytes =
        a_.format == "json" ? json_line(key, input, values, width)
                            : std::string(reinterpret_cast<const char *>(values), width * sizeof(float));
    file_ ? file_->write(bytes) : print(bytes);
  }
  int finish() {
    if (file_) file_->commit();
    return kOk;
  }

private:
  const Arguments &a_;
  std::optional<OutputFile> file_;
};

void embed_images(fovea::Embedder &embedder, const std::vector<std::string> &paths,
                  const fovea::EmbedOptions &options, Rows &rows) {
  const auto run = [&](const std::vector<fovea_pixels> &pixels) {
    return embedder.embed_images(pixels, options);
  };
  // A vector left out would give those after it to the wrong inputs.
  run_images(paths, {.go_on = false}, run, [&](const std::string &path, const auto &results, size_t i) {
    rows.add("image", path, results[i], results.width());
  });
}

void embed_texts(fovea::Embedder &embedder, std::vector<std::string> inputs,
                 const fovea::EmbedOptions &options, Rows &rows) {
  TextLines lines(std::move(inputs), embedder.takes_images() ? "; of a picture with --images" : "");
  for (auto texts = lines.next(); !texts.empty(); texts = lines.next()) {
    const auto results = embedder.embed(texts, options).value();
    for (size_t i = 0; i < results.size(); ++i) {
      if (results.truncated(i))
        std::fprintf(stderr, "fovea: warning: a text has more than %u tokens; its end was left out\n",
                     embedder.max_tokens());
      rows.add("text", texts[i], results[i], results.width());
    }
  }
}

int embed(const Arguments &a) {
  refuse_input(a.output, {a.model});
  for (const std::string &input : a.inputs)
    if (!a.texts || input == "-") refuse_input(a.output, {input});
  fovea::EmbedOptions options;
  if (a.prefix) options.prefix = a.prefix->c_str();
  options.cancel = interrupt().get();
  auto embedder = open_task<fovea::Embedder>(a);
  if (!embedder.takes_images() && !a.texts) refuse_images(a.inputs);
  const auto is_image = [&](const std::string &input) {
    if (a.images || a.texts) return a.images;
    return embedder.takes_images() && (!embedder.takes_texts() || names_image(input));
  };
  Rows rows(a);
  for (auto at = a.inputs.begin(); at != a.inputs.end();) { // neighbours of a kind together
    const bool image = is_image(*at);
    const auto end =
        std::find_if(at, a.inputs.end(), [&](const std::string &input) { return is_image(input) != image; });
    image ? embed_images(embedder, {at, end}, options, rows)
          : embed_texts(embedder, {at, end}, options, rows);
    at = end;
  }
  return rows.finish();
}

} // namespace

void add_embed(CLI::App &app, int &exit_code) {
  CLI::App *command =
      app.add_subcommand("embed", "Turn texts or pictures into vectors that say what they are about");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "An embedding model");
  command
      ->add_option(
          "INPUT", a->inputs,
          "Texts, each for itself (- reads them from standard input, one a line), or image files, as the "
          "model takes; for models of both, what is or ends like an image file (.jpg …) is one")
      ->required()
      ->option_text("...");
  command
      ->add_option("-f,--format", a->format,
                   "json: an object a line; f32: binary, little-endian, one after another (default: json)")
      ->check(CLI::IsMember({"json", "f32"}))
      ->option_text("FORMAT");
  command->add_option("-o,--output", a->output, "File (default: standard output)")->option_text("PATH");
  command
      ->add_option("--prefix", a->prefix,
                   "Put before every text: \"query: \" (default: the model's own, if any)")
      ->option_text("TEXT");
  CLI::Option *images = command->add_flag("--images", a->images, "All inputs are image files");
  command->add_flag("--texts", a->texts, "All inputs are texts")->excludes(images);
  add_device(*command, *a);
  command->footer(R"(
A vector for each input, in their order; texts of like length run side by side. Compare vectors by their cosine.
Example:
  fovea embed minilm.fovea.gguf "a cat on a mat" "a dog in the fog"
  fovea embed clip.fovea.gguf cat.jpg dog.jpg "a photo of a cat")");
  command->callback([&exit_code, a] { exit_code = embed(*a); });
}

} // namespace tool
