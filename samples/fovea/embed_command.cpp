// fovea embed: a vector for each text.
#include "commands.h"
#include "console.h"
#include "text_lines.h"

#include <fovea/embed.hpp>
#include <fovea/image.hpp>

#include <nlohmann/json.hpp>
#include <optional>

namespace tool {
namespace {

struct Arguments {
  std::string model, device, format = "json", output, prefix;
  std::vector<std::string> texts;
  bool has_prefix = false, images = false, no_verify = false;
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

constexpr size_t kPictures = 32; // decoded at a time

int embed_images(const Arguments &a, fovea::Embedder &embedder, const fovea::EmbedOptions &options) {
  Rows rows(a);
  for (size_t begin = 0; begin < a.texts.size(); begin += kPictures) {
    std::vector<fovea::Image> images;
    std::vector<fovea_pixels> pictures;
    for (size_t i = begin; i < std::min(a.texts.size(), begin + kPictures); ++i)
      pictures.push_back(images.emplace_back(fovea::Image::read(a.texts[i]).value()).pixels());
    const auto results = embedder.embed_images(pictures, options).value();
    for (size_t i = 0; i < results.size(); ++i)
      rows.add("image", a.texts[begin + i], results[i], results.width());
  }
  return rows.finish();
}

int embed(Arguments &a) {
  fovea::EmbedOptions options;
  if (a.has_prefix) options.prefix = a.prefix.c_str();
  options.cancel = interrupt().get();
  auto embedder = make_embedder(a);
  if (a.images || !embedder.takes_texts()) return embed_images(a, embedder, options);
  TextLines lines(a.texts);
  Rows rows(a);
  for (auto texts = lines.next(); !texts.empty(); texts = lines.next()) {
    const auto results = embedder.embed(texts, options).value();
    for (size_t i = 0; i < results.size(); ++i) {
      if (results.truncated(i))
        std::fprintf(stderr, "fovea: warning: a text has more than %u tokens; its end was left out\n",
                     embedder.max_tokens());
      rows.add("text", texts[i], results[i], results.width());
    }
  }
  return rows.finish();
}

} // namespace

void add_embed(CLI::App &app, int &exit_code) {
  CLI::App *command =
      app.add_subcommand("embed", "Turn texts or pictures into vectors that say what they are about");
  const auto a = std::make_shared<Arguments>();
  command->add_option("MODEL", a->model, "An embedding model file (see fovea convert)")
      ->required()
      ->option_text(" ");
  command
      ->add_option(
          "INPUT", a->texts,
          "Texts, each for itself (- reads them from standard input, one a line); image files for models of "
          "pictures")
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
  command->add_flag("--images", a->images, "The inputs are image files, for models that take texts as well");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
A vector for each input, in their order; texts of like length run side by side. Compare vectors by their cosine.
Examples:
  fovea embed minilm.fovea.gguf "a cat on a mat" "a dog in the fog"
  fovea embed clip.fovea.gguf --images cat.jpg dog.jpg)");
  command->callback([&exit_code, a] { exit_code = embed(*a); });
}

} // namespace tool
