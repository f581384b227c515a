#include "command_tree.h"

#include "bundled_models.h"
#include "model_arguments.h"

namespace tool {
namespace {

/// CLI11 keeps the values of CLI::IsMember in the type's name alone: TEXT:{a,b}.
std::vector<std::string> choices_of(const CLI::Option &option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{'), end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

OptionEntry entry_of(const CLI::Option &option) {
  OptionEntry entry;
  for (const std::string &name : option.get_snames()) entry.names.push_back("-" + name);
  for (const std::string &name : option.get_lnames()) entry.names.push_back("--" + name);
  entry.help = option.get_description();
  if (option.get_positional()) {
    entry.value = option.get_name(true);
    if (option.get_items_expected_max() > 1) entry.value += "...";
    if (!option.get_required()) entry.value = "[" + entry.value + "]";
  } else if (option.get_items_expected_max() > 0) {
    entry.value = option.get_option_text().empty() ? "VALUE" : option.get_option_text();
  }
  entry.choices = choices_of(option);
  if (option.get_type_name() == kSpeechModel) entry.models = bundled_speech_models();
  return entry;
}

CommandEntry entry_of(const CLI::App &app) {
  CommandEntry entry{app.get_name(), app.get_description(), app.get_footer(), {}, {}};
  for (const CLI::Option *option : app.get_options()) {
    if (option->get_group().empty()) continue; // hidden
    (option->get_positional() ? entry.arguments : entry.options).push_back(entry_of(*option));
  }
  return entry;
}

} // namespace

bool OptionEntry::takes_files() const {
  return names.empty() || value.find("PATH") != std::string::npos ||
         value.find("FILE") != std::string::npos || value.find("FOLDER") != std::string::npos;
}

std::string CommandEntry::usage() const {
  std::string text = "[OPTIONS]";
  for (const OptionEntry &argument : arguments) text += " " + argument.value;
  return text;
}

std::vector<CommandEntry> command_tree(const CLI::App &app) {
  std::vector<CommandEntry> tree{entry_of(app)};
  for (const CLI::App *command :
       app.get_subcommands([](const CLI::App *c) { return !c->get_group().empty(); }))
    tree.push_back(entry_of(*command));
  return tree;
}

} // namespace tool
