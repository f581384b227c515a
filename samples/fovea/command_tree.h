// What the tool's commands and options are, as plain values read from the CLI11 tree: what the manual page
// and the shell completions are written from, so that neither can fall behind the commands.
#pragma once

#include <CLI/CLI.hpp>

namespace tool {

struct OptionEntry {
  std::vector<std::string> names; // "-f", "--format"; empty: an argument without a name
  std::string value; // what stands for its value, "" for a flag; of arguments their name, "AUDIO..."
  std::string help;  // one line, UTF-8
  std::vector<std::string> choices; // all values there are, or empty: any
  std::vector<std::string> models;  // names that stand for files as well
  bool takes_files() const;         // its value names a file or folder
};

struct CommandEntry {
  std::string name, help;
  std::string notes; // what --help says below the options: lines, with examples
  std::vector<OptionEntry> arguments, options;
  std::string usage() const; // "[OPTIONS] MODEL AUDIO..."
};

/// The tool itself first, with its own options, then its commands in their order; hidden ones are left out.
std::vector<CommandEntry> command_tree(const CLI::App &app);

/// The manual page (man, troff with -man).
std::string manual_page(const std::vector<CommandEntry> &tree);
/// A completion script for "bash", "zsh" or "fish".
std::string completion_script(const std::vector<CommandEntry> &tree, const std::string &shell);

} // namespace tool
