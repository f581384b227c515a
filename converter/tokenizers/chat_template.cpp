#include "converter/tokenizers/chat_template.h"

#include "converter/json.h"

#include <algorithm>

namespace fovea {
namespace {

/// What is stored of a format; empty pieces are left out.
struct Pieces {
  const char *name;
  std::string begin, user_before, user_after, assistant_before, assistant_after, reply;
  std::string system_before, system_after;
  bool system_in_user = false, trim = false;
  std::optional<std::string> default_system{};
  std::string drop_thoughts{};
};

/// A published template and the texts of the tokens it names.
struct Template {
  std::string text, bos, eos;
  bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
  /// The text of the token if the template writes it.
  std::string begin() const { return has("bos_token") ? bos : std::string(); }
};

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    out += !escape ? text[i] : text[i + 1] == 'n' ? '\n' : text[i + 1] == 't' ? '\t' : text[i + 1];
    i += escape;
  }
  return out;
}

/// The literal between `open` (and a newline, written either way) and `close`, where nothing but text lies
/// between.
std::optional<std::string> literal_after(const Template &t, std::string_view open, std::string_view close) {
  for (size_t at = t.text.find(open); at != std::string::npos; at = t.text.find(open, at + 1)) {
    std::string_view rest = std::string_view(t.text).substr(at + open.size());
    if (rest.starts_with("\\n"))
      rest.remove_prefix(2);
    else if (rest.starts_with("\n"))
      rest.remove_prefix(1);
    const size_t end = rest.find(close);
    if (end == std::string_view::npos || end == 0) continue;
    const std::string_view found = rest.substr(0, end);
    if (found.find_first_of("'\"{}<") == std::string_view::npos) return unescaped(found);
  }
  return {};
}

bool trims_contents(const Template &t) {
  for (const char *form : {"content'] | trim", "content']|trim", "content\"] | trim", "content | trim",
                           "content|trim", "content'].strip()", "content.strip()"})
    if (t.has(form)) return true;
  return false;
}

Pieces chatml(const Template &t) {
  Pieces p{"chatml",
           t.begin(),
           "<|im_start|>user\n",
           "<|im_end|>\n",
           "<|im_start|>assistant\n",
           "<|im_end|>\n",
           "<|im_start|>assistant\n",
           "<|im_start|>system\n",
           "<|im_end|>\n"};
  p.trim = trims_contents(t);
  p.default_system = literal_after(t, "<|im_start|>system", "<|im_end|>");
  if (t.has("</think>")) p.drop_thoughts = "</think>";
  return p;
}

Pieces llama3(const Template &t) {
  const auto header = [](const char *role) {
    return concat("<|start_header_id|>", role, "<|end_header_id|>\n\n");
  };
  const std::string end = "<|eot_id|>";
  Pieces p{"llama3",         t.bos, header("user"), end, header("assistant"), end, header("assistant"),
           header("system"), end};
  p.trim = true;
  if (t.has("Cutting Knowledge Date")) { // the template's own date where the caller gives none
    p.system_before += "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    p.default_system = "";
  }
  return p;
}

Pieces llama2(const Template &t) {
  Pieces p{"llama2", "", t.bos + "[INST] ", " [/INST]", " ", " " + t.eos, "", "<<SYS>>\n", "\n<</SYS>>\n\n"};
  p.system_in_user = p.trim = true;
  return p;
}

Pieces mistral(const Template &t) {
  Pieces p{"mistral",
           t.bos,
           t.has("[INST] ") ? "[INST] " : "[INST]",
           t.has(" [/INST]") ? " [/INST]" : "[/INST]",
           "",
           t.eos,
           "",
           "",
           "\n\n"};
  for (const char *form : {"' ' + message[", "\" \" + message[", "' ' + message.", "\" \" + message."})
    if (t.has(form)) p.assistant_before = " ";
  for (const char *form : {"eos_token + ' '", "eos_token + \" \"", "eos_token+' '"})
    if (t.has(form)) p.assistant_after += " ";
  p.system_in_user = true;
  p.trim = trims_contents(t);
  return p;
}

Pieces zephyr(const Template &t) {
  const std::string end = t.eos + "\n";
  Pieces p{"zephyr", t.begin(),         "<|user|>\n",   end, "<|assistant|>\n",
           end,      "<|assistant|>\n", "<|system|>\n", end};
  p.trim = trims_contents(t);
  return p;
}

Pieces gemma(const Template &t) {
  const std::string end = "<end_of_turn>\n", reply = "<start_of_turn>model\n";
  Pieces p{"gemma", t.bos, "<start_of_turn>user\n", end, reply, end, reply, "", "\n\n"};
  p.system_in_user = p.trim = true;
  return p;
}

std::optional<Pieces> recognise(const Template &t) {
  if (t.has("<|im_start|>") && t.has("<|im_end|>")) return chatml(t);
  if (t.has("<|start_header_id|>") && t.has("<|eot_id|>")) return llama3(t);
  if (t.has("<start_of_turn>") && t.has("<end_of_turn>")) return gemma(t);
  if (t.has("[INST]") && t.has("<<SYS>>")) return llama2(t);
  if (t.has("[INST]") && t.has("[/INST]") && t.has("eos_token")) return mistral(t);
  if (t.has("<|user|>") && t.has("<|assistant|>") && t.has("eos_token")) return zephyr(t);
  return {};
}

/// A token's text: a string, or an object that says more of it.
std::string token_text(const Config &c, const char *key) {
  const Json *found = c.find(key);
  if (found && found->is_object() && found->contains("content")) found = &(*found)["content"];
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

/// The template's text: itself, or the one called "default" of several.
std::string template_text(const Config &c) {
  const Json *found = c.find("chat_template");
  if (!found) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array())
    for (const Json &named : *found)
      if (named.is_object() && named.contains("name") && named["name"] == "default" &&
          named.contains("template") && named["template"].is_string())
        return named["template"].get<std::string>();
  return {};
}

Template read_template(const Source &source) {
  const Config config = Config::parse(source.text("tokenizer_config.json").value_or("{}"),
                                      source.text_path("tokenizer_config.json"));
  Template t{source.text("chat_template.jinja").value_or(""), token_text(config, "bos_token"),
             token_text(config, "eos_token")};
  if (t.text.empty())
    if (const auto text = source.text("chat_template.json"))
      t.text = template_text(Config::parse(*text, source.text_path("chat_template.json")));
  if (t.text.empty()) t.text = template_text(config);
  return t;
}

} // namespace

void add_chat_format(const Source &source, ModelPlan &plan) {
  const Template published = read_template(source);
  const auto found = recognise(published);
  if (!found) {
    if (!published.text.empty())
      plan.warn(source.path(),
                ": its chat template is none of those known (ChatML, Llama 2, Llama 3, Mistral, "
                "Zephyr, Gemma); the model continues prompts, `fovea generate --chat` will not work");
    return;
  }
  const Pieces &p = *found;
  plan.add("fovea.chat.format", std::string(p.name));
  const std::pair<const char *, const std::string &> texts[] = {{"begin", p.begin},
                                                                {"system.before", p.system_before},
                                                                {"system.after", p.system_after},
                                                                {"user.before", p.user_before},
                                                                {"user.after", p.user_after},
                                                                {"assistant.before", p.assistant_before},
                                                                {"assistant.after", p.assistant_after},
                                                                {"reply", p.reply},
                                                                {"drop_thoughts", p.drop_thoughts}};
  for (const auto &[key, text] : texts)
    if (!text.empty()) plan.add(concat("fovea.chat.", key), text);
  if (p.default_system) plan.add("fovea.chat.system.default", *p.default_system);
  plan.add("fovea.chat.system_in_user", p.system_in_user);
  plan.add("fovea.chat.trim", p.trim);
}

} // namespace fovea
