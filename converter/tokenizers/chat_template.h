// How a model writes conversations: its published chat template, recognised by what is in it and kept as
// pieces of text per role (fovea.chat.*, docs/format.md). The template itself is neither executed nor kept.
// Known: ChatML, Llama 2, Llama 3, Mistral, Zephyr, Gemma. Pure; thread-safe. Errors: InvalidFile naming the
// file.
#pragma once

#include "converter/model_plan.h"

namespace fovea {

/// From chat_template.jinja, chat_template.json or tokenizer_config.json. Adds nothing for a model without a
/// template, or, with a warning, for one that is none of the known: --chat then says so.
void add_chat_format(const Source &source, ModelPlan &plan);

} // namespace fovea
