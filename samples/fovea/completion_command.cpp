#include "command_tree.h"
#include "commands.h"
#include "console.h"

namespace tool {

void add_completion(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("completion", "Write the completion of this command line for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->option_text(" ");
  command->footer(R"(
Installed packages have all three where their shells look for them. Example, for bash and this session:
  source <(fovea completion bash))");
  command->callback([&app, shell] { print(completion_script(command_tree(app), *shell)); });

  CLI::App *manual = app.add_subcommand("manual", "Write the manual page, fovea.1")->group("");
  manual->callback([&app] { print(manual_page(command_tree(app))); });
}

} // namespace tool
