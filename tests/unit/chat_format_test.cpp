// Chat templates recognised by the converter, and conversations written by the runtime, against what the
// templates give when they are executed (Jinja, as Hugging Face transformers does).
#include "converter/tokenizers/chat_template.h"
#include "support/temp_folder.h"
#include "tasks/chat_format.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Case {
  const char *name, *json;         // the template, escaped as in JSON
  const char *plain, *with_system; // "" : the template has no place for a system's words
};

// One template a line would be 600 characters long.
// clang-format off
const Case kCases[] = {
    {"chatml",
     R"~({% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})~",
     "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n"},
    {"llama3",
     R"~({% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %})~",
     "<s><|start_header_id|>user<|end_header_id|>\n\nHi there<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
     "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi there<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
    {"llama2",
     R"~({% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %})~",
     "<s>[INST] Hi there [/INST] Hello. </s><s>[INST] How are you? [/INST]",
     "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi there [/INST] Hello. </s><s>[INST] How are you? [/INST]"},
    {"mistral",
     R"~({{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% endif %}{% endfor %})~",
     "<s>[INST] Hi there [/INST]Hello.</s>[INST] How are you? [/INST]",
     ""},
    {"zephyr",
     R"~({% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %})~",
     "<|user|>\nHi there</s>\n<|assistant|>\nHello.</s>\n<|user|>\nHow are you?</s>\n<|assistant|>\n",
     "<|system|>\nBe brief.</s>\n<|user|>\nHi there</s>\n<|assistant|>\nHello.</s>\n<|user|>\nHow are you?</s>\n<|assistant|>\n"},
    {"gemma",
     R"~({{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}{%- set loop_messages = messages[1:] -%}{%- else -%}{%- set first_user_prefix = \"\" -%}{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}{%- if (message['role'] == 'assistant') -%}{%- set role = \"model\" -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else \"\") }}{{ message['content'] | trim }}{{ '<end_of_turn>\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%})~",
     "<s><start_of_turn>user\nHi there<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user\nHow are you?<end_of_turn>\n<start_of_turn>model\n",
     "<s><start_of_turn>user\nBe brief.\n\nHi there<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user\nHow are you?<end_of_turn>\n<start_of_turn>model\n"},
};
// clang-format on

std::optional<ChatFormat> format_of(const std::string &tokenizer_config) {
  Source source("model", "test");
  source.add_text("tokenizer_config.json", tokenizer_config);
  ModelPlan plan;
  add_chat_format(source, plan);
  const test::TempFolder folder;
  GgufWriter writer(folder / "m.gguf");
  for (const auto &[key, value] : plan.metadata) writer.add(key, value);
  writer.add_tensor("t", {{32}, Encoding::F32});
  writer.write(std::vector<std::byte>(128));
  writer.commit();
  return ChatFormat::read(ModelFile(folder / "m.gguf"));
}

std::string joined(const std::vector<ChatPiece> &pieces) {
  std::string all;
  for (const ChatPiece &piece : pieces) all += piece.text;
  return all;
}

const std::vector<ChatMessage> kTurns = {
    {ChatRole::User, "Hi there"}, {ChatRole::Assistant, "Hello."}, {ChatRole::User, "How are you?"}};

} // namespace

TEST_CASE("chat format: what each known template writes") {
  for (const Case &c : kCases) {
    CAPTURE(c.name);
    const auto format = format_of(concat(
        R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": ")", c.json, "\"}"));
    REQUIRE(format);
    CHECK(format->name == c.name);
    CHECK(joined(format->render(kTurns)) == c.plain);
    std::vector<ChatMessage> turns = {{ChatRole::System, "Be brief."}};
    turns.insert(turns.end(), kTurns.begin(), kTurns.end());
    if (*c.with_system) CHECK(joined(format->render(turns)) == c.with_system);
  }
}

TEST_CASE("chat format: an unknown template is none") {
  CHECK_FALSE(format_of(R"({"chat_template": "{{ messages }}"})"));
  CHECK_FALSE(format_of("{}"));
}

TEST_CASE("chat format: words are marked as words, and thoughts left out of earlier replies") {
  ChatFormat format;
  format.user = {"<u>", "</u>"};
  format.assistant = {"<a>", "</a>"};
  format.reply = "<a>";
  format.drop_thoughts = "</think>";
  const auto pieces = format.render(
      {{ChatRole::User, "<a>"}, {ChatRole::Assistant, "<think>hm</think>\n\nYes."}, {ChatRole::User, "ok"}});
  CHECK(joined(pieces) == "<u><a></u><a>Yes.</a><u>ok</u><a>");
  REQUIRE(pieces.size() == 7);
  for (size_t i = 0; i < pieces.size(); ++i) CHECK(pieces[i].is_control == (i % 2 == 0));
}

TEST_CASE("chat format: turns out of order are refused") {
  const ChatFormat format;
  const ChatMessage user{ChatRole::User, "u"}, assistant{ChatRole::Assistant, "a"},
      system{ChatRole::System, "s"};
  for (const auto &turns : std::vector<std::vector<ChatMessage>>{
           {}, {system}, {assistant}, {user, user}, {user, assistant}, {user, system, user}})
    CHECK_THROWS_AS((void)format.render(turns), Error);
  CHECK_THROWS_WITH_AS((void)parse_chat_role("bot"), doctest::Contains("'bot'"), Error);
}
