#include "api/core/texts.h"
#include "api/handles.h"

#include "tasks/translate.h"

#include <fovea/translate.h>

#include <cmath>
#include <limits>

using namespace fovea;
using namespace fovea::api;

namespace {

constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();
const fovea_translator_options kTranslatorDefaults = {sizeof(fovea_translator_options), 8, nullptr, nullptr};
const fovea_translate_options kTranslateDefaults = {
    sizeof(fovea_translate_options), nullptr, nullptr, nullptr, 0, 0, 0, kUnset, kUnset, -1,
    FOVEA_EARLY_STOPPING_MODEL,      nullptr};

std::optional<EarlyStopping> early_stopping_of(fovea_early_stopping value) {
  switch (value) {
  case FOVEA_EARLY_STOPPING_MODEL: return std::nullopt;
  case FOVEA_EARLY_STOPPING_NO: return EarlyStopping::No;
  case FOVEA_EARLY_STOPPING_YES: return EarlyStopping::Yes;
  case FOVEA_EARLY_STOPPING_NEVER: return EarlyStopping::Never;
  case FOVEA_EARLY_STOPPING_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "translate options: early_stopping is ", int(value), ", expected 0 … 3");
}

TranslateOptions to_options(const fovea_translate_options *options) {
  const fovea_translate_options o = read_struct(options, kTranslateDefaults, "translate options");
  TranslateOptions to;
  if (o.task) to.task = o.task;
  if (o.prefix) to.prefix = o.prefix;
  if (o.target) to.forced_first = o.target;
  if (o.beams) to.n_beams = o.beams;
  if (o.max_tokens) to.max_new_tokens = o.max_tokens;
  if (o.min_tokens) to.min_new_tokens = o.min_tokens;
  if (!std::isnan(o.length_penalty)) to.length_penalty = o.length_penalty;
  if (!std::isnan(o.repetition_penalty)) to.repetition_penalty = o.repetition_penalty;
  if (o.no_repeat_ngram >= 0) to.no_repeat_ngram = uint32_t(o.no_repeat_ngram);
  to.early_stopping = early_stopping_of(o.early_stopping);
  to.cancel = flag(o.cancel);
  return to;
}

} // namespace

struct fovea_translator {
  std::vector<std::string> tasks;
  Translator translator;
};

struct fovea_translations {
  std::vector<Translation> all;
  std::vector<fovea_translation> views;

  explicit fovea_translations(std::vector<Translation> translations) : all(std::move(translations)) {
    for (const Translation &t : all)
      views.push_back({sizeof(fovea_translation), t.text.c_str(), t.tokens.data(), t.tokens.size(), t.score,
                       t.ended, t.source_truncated});
  }
};

extern "C" {

void fovea_translator_options_init(fovea_translator_options *options, size_t struct_size) {
  write_struct(options, struct_size, kTranslatorDefaults);
}
void fovea_translate_options_init(fovea_translate_options *options, size_t struct_size) {
  write_struct(options, struct_size, kTranslateDefaults);
}

fovea_status fovea_translator_create(fovea_device *device, const fovea_model *model,
                                     const fovea_translator_options *options, fovea_translator **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_translator_options given = read_struct(options, kTranslatorDefaults, "translator options");
    if (given.max_batch == 0 || given.max_batch > 1024)
      fail(ErrorCode::InvalidArgument, "translator options: max_batch is ", given.max_batch,
           ", expected 1 to 1024");
    if (!Translator::accepts(*model->model))
      fail(ErrorCode::Unsupported, model->model->path(), ": not a text-to-text model (its task is '",
           model->task, "', expected 'translate')");
    TranslatorOptions wanted;
    wanted.max_batch = given.max_batch;
    Translator translator(device->device, model->model, model->weights(*device, given.progress, given.user),
                          wanted);
    auto tasks = translator.tasks();
    return std::make_unique<fovea_translator>(fovea_translator{std::move(tasks), std::move(translator)});
  });
}
void fovea_translator_release(fovea_translator *translator) { delete translator; }

int fovea_translator_has_tokenizer(const fovea_translator *translator) {
  return translator && translator->translator.has_tokenizer() ? 1 : 0;
}
size_t fovea_translator_task_count(const fovea_translator *translator) {
  return translator ? translator->tasks.size() : 0;
}
const char *fovea_translator_task(const fovea_translator *translator, size_t index) {
  return index < fovea_translator_task_count(translator) ? translator->tasks[index].c_str() : nullptr;
}
fovea_status fovea_translator_memory(const fovea_translator *translator, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(translator, "translator")->translator.memory()); });
}

fovea_status fovea_translate(fovea_translator *translator, const char *const *texts, size_t n_texts,
                             const fovea_translate_options *options, fovea_translations **out) {
  return create(out, [&] {
    return std::make_unique<fovea_translations>(
        require(translator, "translator")
            ->translator.translate(read_texts(texts, n_texts), to_options(options)));
  });
}
fovea_status fovea_translate_tokens(fovea_translator *translator, const int32_t *const *tokens,
                                    const size_t *n_tokens, size_t n_texts,
                                    const fovea_translate_options *options, fovea_translations **out) {
  return create(out, [&] {
    return std::make_unique<fovea_translations>(
        require(translator, "translator")
            ->translator.translate_tokens(read_tokens(tokens, n_tokens, n_texts), to_options(options)));
  });
}
size_t fovea_translations_count(const fovea_translations *translations) {
  return translations ? translations->views.size() : 0;
}
const fovea_translation *fovea_translations_get(const fovea_translations *translations, size_t index) {
  return index < fovea_translations_count(translations) ? &translations->views[index] : nullptr;
}
void fovea_translations_release(fovea_translations *translations) { delete translations; }

} // extern "C"
