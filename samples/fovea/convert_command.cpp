#include "commands.h"
#include "console.h"

#include <fovea/convert.hpp>

#include <cstdio>
#include <filesystem>

namespace tool {
namespace {

struct Arguments {
  std::string source, output, encoding = "f16";
  uint32_t n_threads = 0;
  bool every_tensor = false, pure = false;
};

/// NAME-ENCODING.fovea.gguf in the current folder.
std::string default_output(const Arguments &a) {
  std::error_code error;
  std::filesystem::path source = std::filesystem::canonical(a.source, error);
  if (error) fail(FOVEA_NOT_FOUND, {a.source, ": no such file or folder"});
  const bool is_folder = std::filesystem::is_directory(source, error);
  const std::string name = (is_folder ? source.filename() : source.stem()).string();
  const std::string output =
      (name.empty() ? "model" : name) + "-" + a.encoding + (a.pure ? "-pure" : "") + ".fovea.gguf";
  if (std::filesystem::exists(output, error))
    fail(FOVEA_IO, {output, ": exists already; name the output with -o to replace it"});
  return output;
}

int convert(const Arguments &a) {
  if (a.pure && a.encoding != "q4") throw UsageError("--pure is about --encoding q4; the others are pure");
  refuse_input(a.output, {a.source});
  const std::string output = a.output.empty() ? default_output(a) : a.output;
  fovea::ConvertOptions options;
  options.encoding = a.encoding.c_str();
  options.n_threads = a.n_threads;
  options.pure = a.pure;
  options.cancel = interrupt().get();
  ProgressBar bar("converting");
  const auto report = fovea::convert(a.source, output, options, [&](double done, double total) {
                        bar.show(done, total, bytes_text(done) + " of " + bytes_text(total));
                        return true;
                      }).value();
  bar.clear();
  for (size_t i = 0; i < report.n_warnings(); ++i)
    std::fprintf(stderr, "fovea: warning: %s\n", report.warning(i));
  print(report.text(a.every_tensor).value() + output + "\n");
  return kOk;
}

} // namespace

void add_convert(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("convert", "Make a model file from trained weights");
  const auto a = std::make_shared<Arguments>();
  command
      ->add_option("SOURCE", a->source,
                   "A Hugging Face folder, a GGUF file of llama.cpp, or a whisper.cpp ggml .bin file")
      ->required()
      ->option_text(" ");
  command
      ->add_option("-o,--output", a->output,
                   "The file to write (default: NAME-ENCODING.fovea.gguf here, refused if it exists)")
      ->option_text("PATH");
  command
      ->add_option(
          "--encoding", a->encoding,
          "Of matrices; f16 (default) is half of f32 and loses nothing that shows; q8 is a quarter; q4 "
          "an eighth where that does not change words, else q8 (models narrower than 768: all of it)")
      ->check(CLI::IsMember({"f32", "f16", "q8", "q4"}))
      ->option_text("f32|f16|q8|q4");
  command->add_flag("--pure", a->pure,
                    "q4 for every matrix, also where the default keeps q8 because four bits change words");
  command->add_option("--threads", a->n_threads, "Threads to encode with (default: one for each core)")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  command->add_flag("--tensors", a->every_tensor, "Report the size and the worst error of every tensor");
  command->footer(R"(
The file appears whole or not at all; an existing one is replaced only on success, and only
when -o names it.
Example:
  fovea convert whisper-tiny.en -o tiny.en.fovea.gguf --encoding q8)");
  command->callback([&exit_code, a] { exit_code = convert(*a); });
}

} // namespace tool
