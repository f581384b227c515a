#include "command_tree.h"

#include <fovea/fovea.hpp>

namespace tool {
namespace {

/// Text as troff takes it: backslashes and hyphens are themselves, a line begins with no request.
std::string escaped(const std::string &text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string bold(const std::string &text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string &text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string options_of(const CommandEntry &command) {
  std::string text;
  for (const OptionEntry &argument : command.arguments)
    text += ".TP\n" + italic(argument.value) + "\n" + escaped(argument.help) + "\n";
  for (const OptionEntry &option : command.options) {
    text += ".TP\n";
    for (const std::string &name : option.names)
      text += (&name == &option.names.front() ? "" : ", ") + bold(name);
    if (!option.value.empty()) text += " " + italic(option.value);
    text += "\n" + escaped(option.help) + "\n";
  }
  return text;
}

/// Paragraphs of words are filled; what is indented, or is a table, stays as it is.
std::string notes_of(const CommandEntry &command) {
  std::string text;
  bool kept = false;
  for (const std::string &line : CLI::detail::split(CLI::detail::trim_copy(command.notes), '\n')) {
    const bool keep = line.rfind("  ", 0) == 0;
    if (keep != kept) text += keep ? ".PP\n.nf\n" : ".fi\n.PP\n";
    kept = keep;
    if (!keep && !line.empty() && line.back() == ':') text += ".PP\n"; // Example:
    text += line.empty() ? ".PP\n" : escaped(line) + "\n";
  }
  if (text.empty()) return "";
  return ".PP\n" + text + (kept ? ".fi\n" : "");
}

} // namespace

std::string manual_page(const std::vector<CommandEntry> &tree) {
  const CommandEntry &tool = tree.front();
  std::string text = std::string(".\\\" Written by \"fovea manual\".\n.TH FOVEA 1 \"\" \"fovea ") +
                     fovea::version() + "\" \"User Commands\"\n.nh\n.SH NAME\nfovea \\- " +
                     "run trained speech, text and vision models on any Vulkan device\n.SH SYNOPSIS\n";
  for (size_t i = 1; i < tree.size(); ++i)
    text += bold("fovea " + tree[i].name) + " " + escaped(tree[i].usage()) + "\n.br\n";
  text += ".SH OPTIONS\n" + options_of(tool) + notes_of(tool) + ".SH COMMANDS\n";
  for (size_t i = 1; i < tree.size(); ++i)
    text += ".SS fovea " + escaped(tree[i].name) + " " + escaped(tree[i].usage()) + "\n" +
            escaped(tree[i].help) + ".\n" + options_of(tree[i]) + notes_of(tree[i]);
  return text;
}

} // namespace tool
