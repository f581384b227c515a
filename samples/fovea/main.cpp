// fovea: the command-line tool, made of the public interface alone.
#include "commands.h"
#include "console.h"
#include "process_memory.h"

#include <algorithm>
#include <fcntl.h>
#include <new>
#include <string_view>
#include <unistd.h>

namespace {

constexpr const char *kFooter = R"(
Environment:
  FOVEA_DEVICE          the device to use: its number, or part of its name (see fovea devices)
  FOVEA_PRETEND         keep within another device's limits: a name of fovea devices --profiles, or a file
  FOVEA_QUIRKS          a file of drivers' known faults, +FILE to add to the built-in ones, or none
  FOVEA_DEVICE_MEMORY   keep within this much device memory, e.g. 512M or 2G (default: all there is)
  FOVEA_VALIDATION      1 checks every Vulkan call, gpu shaders as well (needs the validation layer)
  FOVEA_LOG             error, warning (default), info or debug
  FOVEA_TUNING          off: without the choice of kernels that fovea tune measured
  FOVEA_CHECK           child (default), here or skip: how kernels are tried before their first use on a device
  FOVEA_SAFE            1: base kernels only, slower, and what a driver has the least to do wrong in
  FOVEA_CACHE_DIR       where pipelines, tuning tables and verdicts are kept (default: ~/.cache/fovea)
  FOVEA_VULKAN_LIBRARY  the Vulkan loader to open (default: libvulkan.so.1)
Exit code: 0 done, 1 error, 2 wrong command line, 130 interrupted, 141 nobody reads the output, 143 terminated.
fovea COMMAND --help has an example of each command; fovea manual | man -l - shows all of them.)";

int usage_error(const std::string &message, const CLI::App &app) {
  const auto chosen = app.get_subcommands();
  tool::print_error(message + "; see fovea " + (chosen.empty() ? "" : chosen.front()->get_name() + " ") +
                    "--help");
  return tool::kUsage;
}

std::string missing_arguments(const CLI::App &command) {
  std::string names;
  for (const CLI::Option *option : command.get_options())
    if (option->get_required() && option->count() == 0)
      names += (names.empty() ? "" : " and ") + option->get_name();
  return names + " missing";
}

bool is_option(const std::string &argument) { return argument.size() > 1 && argument[0] == '-'; }

bool has_option(const CLI::App &command, const std::string &argument) {
  return command.get_option_no_throw(argument.substr(0, argument.find('='))) != nullptr;
}

/// What is wrong with the first argument that means nothing.
std::string unknown_argument(const CLI::App &app) {
  const std::vector<std::string> own = app.remaining(), all = app.remaining(true);
  const auto chosen = app.get_subcommands();
  if (const auto early = std::find_if(own.begin(), own.end(), is_option);
      early != own.end() && !chosen.empty() && has_option(*chosen.front(), *early))
    return "'" + *early + "' comes after the command: fovea " + chosen.front()->get_name() + " " + *early;
  // An option if there is one, for what follows may be its value.
  if (const auto option = std::find_if(all.begin(), all.end(), is_option); option != all.end())
    return "no option is called '" + *option + "'";
  return all.empty() ? "too many arguments" : "one argument too many: '" + all.front() + "'";
}

std::string missing_command(const CLI::App &app) {
  return app.remaining().empty() ? "no command given" : unknown_argument(app);
}

/// fovea help COMMAND is fovea COMMAND --help.
std::vector<const char *> without_help(int argc, char **argv) {
  std::vector<const char *> arguments(argv, argv + argc);
  if (argc < 2 || std::string_view(argv[1]) != "help") return arguments;
  arguments.erase(arguments.begin() + 1);
  arguments.insert(arguments.begin() + (argc > 2 && argv[2][0] != '-' ? 2 : 1), "--help");
  return arguments;
}

/// A closed standard stream stays one that cannot be used; else the next file that is opened takes its place.
void keep_closed_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int run(int argc, char **argv) {
  CLI::App app{"Fovea: runs trained models on any Vulkan GPU.", "fovea"};
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("fovea ") + fovea::version());
  app.require_subcommand(1);
  int exit_code = tool::kOk;
#ifdef FOVEA_HAS_CONVERT
  tool::add_convert(app, exit_code);
#endif
  tool::add_inspect(app, exit_code);
  tool::add_devices(app, exit_code);
  tool::add_transcribe(app, exit_code);
  tool::add_generate(app, exit_code);
  tool::add_translate(app, exit_code);
  tool::add_embed(app, exit_code);
  tool::add_classify(app, exit_code);
  tool::add_caption(app, exit_code);
  tool::add_detect(app, exit_code);
  tool::add_segment(app, exit_code);
  tool::add_run(app, exit_code);
  tool::add_bench(app, exit_code);
  tool::add_tune(app, exit_code);
  tool::add_doctor(app, exit_code);
  tool::add_verify(app, exit_code);
  tool::add_completion(app);
  try {
    const std::vector<const char *> arguments = without_help(argc, argv);
    // CLI11 would only say that a command is missing.
    const auto is_named = [&](const CLI::App *command) { return command->get_name() == arguments[1]; };
    if (arguments.size() > 1 && arguments[1][0] != '-' && app.get_subcommands(is_named).empty())
      throw tool::UsageError(std::string("no command is called '") + arguments[1] + "'");
    tool::catch_interrupts();
    app.parse(int(arguments.size()), arguments.data());
    return exit_code;
  } catch (const CLI::Success &e) { // --help, --version
    return app.exit(e);
  } catch (const CLI::RequiredError &) {
    const auto chosen = app.get_subcommands();
    return usage_error(chosen.empty() ? missing_command(app) : missing_arguments(*chosen.front()), app);
  } catch (const CLI::ExtrasError &) {
    return usage_error(unknown_argument(app), app);
  } catch (const CLI::ParseError &e) {
    return usage_error(e.what(), app);
  } catch (const tool::UsageError &e) {
    return usage_error(e.what(), app);
  } catch (const fovea::Error &e) {
    if (e.status() == FOVEA_CANCELLED && tool::interrupt_exit_code()) {
      tool::print_error("interrupted");
      return tool::interrupt_exit_code();
    }
    tool::print_error(e.what());
    return tool::kError;
  }
}

} // namespace

int main(int argc, char **argv) {
  // The child that another one of this tool has started to try kernels in.
  if (argc == 2 && std::string_view(argv[1]) == "fovea-check")
    return fovea_check_serve(STDIN_FILENO, STDOUT_FILENO);
  keep_closed_streams();
  tool::return_freed_memory();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc &) {
    tool::print_error("out of memory");
  } catch (const std::exception &e) {
    tool::print_error(e.what());
  }
  return tool::kError;
}
