// fuzz_seeds TARGET FOLDER: writes the inputs that a target begins with, a file each.
#include "base/error.h"
#include "fuzz/seeds.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace fovea;
using namespace fovea::fuzz;

int main(int argc, char **argv) try {
  const std::map<std::string, Seeds (*)()> makers = {{"flat_file", flat_file_seeds},
                                                     {"graph_text", graph_text_seeds},
                                                     {"safetensors", safetensors_seeds},
                                                     {"gguf", gguf_seeds},
                                                     {"ggml", ggml_seeds},
                                                     {"pytorch", pytorch_seeds},
                                                     {"tokenizer", tokenizer_seeds},
                                                     {"audio", audio_seeds},
                                                     {"image", image_seeds}};
  const auto maker = makers.find(argc == 3 ? argv[1] : "");
  if (maker == makers.end()) {
    std::fprintf(stderr, "usage: fuzz_seeds TARGET FOLDER\n");
    return 2;
  }
  std::filesystem::create_directories(argv[2]);
  for (const auto &[name, bytes] : maker->second()) {
    std::ofstream file(std::filesystem::path(argv[2]) / name, std::ios::binary);
    file.write(bytes.data(), std::streamsize(bytes.size()));
  }
  return 0;
} catch (const Error &error) {
  std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
  return 1;
}
