#include "model_arguments.h"

namespace tool {

void add_model(CLI::App &command, ModelArguments &to, const std::string &what) {
  command.add_option("MODEL", to.model, what + " file (see fovea convert)")->required()->option_text(" ");
}

void add_device(CLI::App &command, ModelArguments &to) {
  command.add_option("--device", to.device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command.add_flag("--no-verify", to.no_verify, "Trust the model file: do not compare it with its checksum");
}

void add_texts(CLI::App &command, std::vector<std::string> &to) {
  command.add_option("TEXT", to, "Texts, each for itself; - reads them from standard input, one a line")
      ->required()
      ->option_text("...");
}

void add_search(CLI::App &command, uint32_t &beams, uint32_t &max_tokens, uint32_t &min_tokens) {
  command.add_option("--beams", beams, "Sequences searched side by side; 1 is greedy (default: the model's)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command.add_option("--max-tokens", max_tokens, "Of each result (default: the model's, else 256)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command.add_option("--min-tokens", min_tokens, "Of each result (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
}

} // namespace tool
