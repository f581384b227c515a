// The subcommands: each adds itself to the application, and runs in a callback when it was chosen. A callback
// throws fovea::Error or UsageError, or sets `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

namespace tool {

void add_convert(CLI::App &app, int &exit_code);
void add_inspect(CLI::App &app, int &exit_code);
void add_devices(CLI::App &app, int &exit_code);
void add_transcribe(CLI::App &app, int &exit_code);
void add_generate(CLI::App &app, int &exit_code);
void add_detect(CLI::App &app, int &exit_code);
void add_segment(CLI::App &app, int &exit_code);
void add_run(CLI::App &app, int &exit_code);
void add_bench(CLI::App &app, int &exit_code);
void add_tune(CLI::App &app, int &exit_code);
void add_doctor(CLI::App &app, int &exit_code);
void add_verify(CLI::App &app, int &exit_code);
void add_caption(CLI::App &app, int &exit_code);
void add_classify(CLI::App &app, int &exit_code);
void add_embed(CLI::App &app, int &exit_code);
void add_translate(CLI::App &app, int &exit_code);
/// What is written from the other commands: shell completion and the manual page. After all of them.
void add_completion(CLI::App &app);

} // namespace tool
