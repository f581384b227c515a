#include "command_tree.h"

namespace tool {
namespace {

std::string replaced(std::string text, const std::string &what, const std::string &with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}
/// For single quotes of a shell.
std::string quoted(const std::string &text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::string joined(const std::vector<std::string> &parts, const char *between) {
  return CLI::detail::join(parts, between);
}

std::string names_of(const std::vector<CommandEntry> &tree, size_t first) {
  std::vector<std::string> names;
  for (size_t i = first; i < tree.size(); ++i) names.push_back(tree[i].name);
  return joined(names, " ");
}

std::string option_names(const CommandEntry &command) {
  std::vector<std::string> names;
  for (const OptionEntry &option : command.options) names.push_back(joined(option.names, " "));
  return joined(names, " ");
}

/// The value of an argument without a name, where it is one of a few.
std::string argument_choices(const CommandEntry &command) {
  for (const OptionEntry &argument : command.arguments)
    if (!argument.choices.empty()) return joined(argument.choices, " ");
  return "";
}

/// Names that may stand for the file of the first argument.
std::vector<std::string> model_names(const CommandEntry &command) {
  return command.arguments.empty() ? std::vector<std::string>() : command.arguments.front().models;
}

constexpr const char *kBash = R"(# bash completion of fovea, written by "fovea completion bash"
_fovea() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i words= models=
  # --format=srt comes as three words.
  if [ "$word" = = ]; then word=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac
  done
  COMPREPLY=()
  case "$command $before" in
@values@  esac
  # Names of models, and those of files beside them.
  if [ -n "$models" ] && compgen -W "$models" -- "$word" >/dev/null; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -W "$models" -- "$word"; compgen -f -- "$word")
    return
  fi
  case $command in
@commands@  esac
  # Without a reply, names of files.
  if [ -z "$command" ] || [ "${word#-}" != "$word" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -o default -o bashdefault -F _fovea fovea
)";

std::string bash(const std::vector<CommandEntry> &tree) {
  std::string values, commands;
  for (const CommandEntry &command : tree) {
    const bool is_tool = &command == &tree.front();
    for (const OptionEntry &option : command.options) {
      if (option.choices.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string &name : option.names) patterns.push_back("'" + command.name + " " + name + "'");
      values += "    " + joined(patterns, " | ") + ") COMPREPLY=($(compgen -W " +
                quoted(joined(option.choices, " ")) + " -- \"$word\")); return ;;\n";
    }
    const std::string choices = argument_choices(command);
    if (!choices.empty())
      values += "    '" + command.name + " " + command.name + "') COMPREPLY=($(compgen -W " +
                quoted(choices) + " -- \"$word\")); return ;;\n";
    if (const std::string models = joined(model_names(command), " "); !models.empty())
      values += "    '" + command.name + " " + command.name + "') models=" + quoted(models) + " ;;\n";
    commands += "    " + (is_tool ? "''" : command.name) +
                ") words=" + quoted((is_tool ? names_of(tree, 1) + " " : "") + option_names(command)) +
                " ;;\n";
  }
  return replaced(replaced(kBash, "@values@", values), "@commands@", commands);
}

/// Inside of single quotes, in brackets, between colons.
std::string zsh_text(const std::string &text) {
  std::string out = replaced(text, "'", "'\\''");
  for (const char *c : {"[", "]", ":"}) out = replaced(out, c, std::string("\\") + c);
  return out;
}

std::string zsh_options(const CommandEntry &command) {
  std::string text;
  for (const OptionEntry &option : command.options) {
    std::string action = option.value.empty() ? "" : ":" + zsh_text(option.value) + ":";
    if (!option.choices.empty())
      action += "(" + joined(option.choices, " ") + ")";
    else if (option.takes_files() && !option.value.empty())
      action += "_files";
    const std::string all = "(" + joined(option.names, " ") + ")";
    for (const std::string &name : option.names)
      text += " \\\n        '" + all + name + "[" + zsh_text(option.help) + "]" + action + "'";
  }
  const std::string choices = argument_choices(command);
  if (!choices.empty())
    text += " \\\n        '*:value:(" + choices + ")'";
  else if (!command.arguments.empty()) {
    if (const std::string models = joined(model_names(command), " "); !models.empty())
      text += " \\\n        '1:model:{ compadd -- " + models + "; _files }'";
    text += " \\\n        '*:file:_files'";
  }
  return text;
}

std::string zsh(const std::vector<CommandEntry> &tree) {
  std::string text = "#compdef fovea\n# zsh completion of fovea, written by \"fovea completion zsh\"\n"
                     "_fovea() {\n  local -a commands=(\n";
  for (size_t i = 1; i < tree.size(); ++i)
    text += "    '" + tree[i].name + ":" + zsh_text(tree[i].help) + "'\n";
  text += "  )\n  if (( CURRENT == 2 )); then\n    _describe -t commands command commands\n    _arguments" +
          zsh_options(tree.front()) +
          "\n    return\n  fi\n  shift words; (( CURRENT-- ))\n  case $words[1] in\n";
  for (size_t i = 1; i < tree.size(); ++i)
    text += "    " + tree[i].name + ")\n      _arguments -S" + zsh_options(tree[i]) + " ;;\n";
  return text + "  esac\n}\n"
                "if [ \"$funcstack[1]\" = _fovea ]; then _fovea \"$@\"; else compdef _fovea fovea; fi\n";
}

std::string fish(const std::vector<CommandEntry> &tree) {
  std::string text = "# fish completion of fovea, written by \"fovea completion fish\"\n";
  for (const CommandEntry &command : tree) {
    const bool is_tool = &command == &tree.front();
    const std::string line =
        "complete -c fovea -n " +
        (is_tool ? "__fish_use_subcommand" : "'__fish_seen_subcommand_from " + command.name + "'");
    if (!is_tool)
      text += "complete -c fovea -n __fish_use_subcommand -f -a " + command.name + " -d " +
              quoted(command.help) + "\n";
    for (const OptionEntry &option : command.options) {
      text += line;
      for (const std::string &name : option.names)
        text += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty())
        text += " -x -a " + quoted(joined(option.choices, " "));
      else if (!option.value.empty())
        text += option.takes_files() ? " -r -F" : " -x";
      text += " -d " + quoted(option.help) + "\n";
    }
    const std::string choices = argument_choices(command);
    if (!choices.empty()) text += line + " -f -a " + quoted(choices) + "\n";
    if (const std::string models = joined(model_names(command), " "); !models.empty())
      text += "complete -c fovea -n '__fish_seen_subcommand_from " + command.name +
              "; and test (count (commandline -opc)) -eq 2' -a " + quoted(models) +
              " -d 'comes with the tool'\n";
  }
  return text;
}

} // namespace

std::string completion_script(const std::vector<CommandEntry> &tree, const std::string &shell) {
  return shell == "bash" ? bash(tree) : shell == "zsh" ? zsh(tree) : fish(tree);
}

} // namespace tool
