// fovea: the command-line tool, made of the public interface alone.
#include "commands.h"
#include "console.h"

namespace {

constexpr const char *kFooter = R"(
Environment:
  FOVEA_DEVICE      the device to use: its number, or part of its name (see fovea devices)
  FOVEA_VALIDATION  1 checks every Vulkan call, gpu shaders as well (needs the validation layer)
  FOVEA_LOG         error, warning (default), info or debug
  FOVEA_CACHE_DIR   where compiled pipelines are kept (default: ~/.cache/fovea)
Exit code: 0 done, 1 error, 2 wrong command line, 130 interrupted.
fovea COMMAND --help has an example of each command.)";

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
  tool::add_run(app, exit_code);
  tool::add_bench(app, exit_code);
  try {
    tool::catch_interrupts();
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success &e) { // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError &e) {
    tool::print_error(std::string(e.what()) + "; see fovea --help");
    return tool::kUsage;
  } catch (const tool::UsageError &e) {
    tool::print_error(std::string(e.what()) + "; see fovea --help");
    return tool::kUsage;
  } catch (const fovea::Error &e) {
    if (e.status() == FOVEA_CANCELLED && tool::interrupt_exit_code()) {
      tool::print_error("interrupted");
      return tool::interrupt_exit_code();
    }
    tool::print_error(e.what());
    return tool::kError;
  } catch (const std::bad_alloc &) {
    tool::print_error("out of memory");
    return tool::kError;
  } catch (const std::exception &e) {
    tool::print_error(e.what());
    return tool::kError;
  }
}

} // namespace

int main(int argc, char **argv) { return run(argc, argv); }
