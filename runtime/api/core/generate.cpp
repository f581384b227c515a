#include "api/handles.h"
#include "api/json.h"

#include "tasks/generate.h"

#include <fovea/generate.h>

#include <cmath>
#include <limits>

using namespace fovea;
using namespace fovea::api;

namespace {

constexpr float kModels = std::numeric_limits<float>::quiet_NaN(); // as the model's publisher recommends

const fovea_generator_options kGeneratorDefaults = {
    sizeof(fovea_generator_options), 0, 512, 0, nullptr, nullptr, FOVEA_CACHE_DEFAULT};

fovea_generate_options generate_defaults() {
  fovea_generate_options o{};
  o.struct_size = sizeof o;
  o.temperature = o.top_p = o.min_p = o.repeat_penalty = kModels;
  o.top_k = UINT32_MAX;
  return o;
}

std::optional<float> given(float value) { return std::isnan(value) ? std::nullopt : std::optional(value); }

std::optional<Encoding> to_cache(fovea_cache_encoding cache) {
  switch (cache) {
  case FOVEA_CACHE_DEFAULT: return {};
  case FOVEA_CACHE_F16: return Encoding::F16;
  case FOVEA_CACHE_Q8: return Encoding::Q8;
  case FOVEA_CACHE_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "options->cache is ", int(cache), ", expected 0 … 2");
}

GenerateOptions to_options(const fovea_generate_options &o) {
  GenerateOptions to;
  to.max_tokens = o.max_tokens;
  to.temperature = given(o.temperature);
  to.top_p = given(o.top_p);
  to.min_p = given(o.min_p);
  to.repeat_penalty = given(o.repeat_penalty);
  if (o.top_k != UINT32_MAX) to.top_k = o.top_k;
  to.seed = o.seed;
  if (o.n_stop) require(o.stop, "options->stop");
  for (size_t i = 0; i < o.n_stop; ++i) to.stop.emplace_back(require(o.stop[i], "options->stop[i]"));
  to.ignore_end = o.ignore_end != 0;
  to.allow_special = o.special != 0;
  to.cancel = flag(o.cancel);
  return to;
}

TextCallback to_callback(const fovea_generate_options &o) {
  if (!o.on_text) return {};
  return [&o](std::string_view text) {
    if (o.on_text(o.user, std::string(text).c_str()) != 0)
      fail(ErrorCode::Cancelled, "stopped by the text callback");
  };
}

} // namespace

struct fovea_generator {
  std::shared_ptr<vk::Device> device;
  bool profile;
  Generator generator;
};

struct fovea_generation {
  Generation generation;
  fovea_generate_timings timings;

  explicit fovea_generation(Generation g) : generation(std::move(g)) {
    const GenerateTimings &t = generation.timings;
    timings = {sizeof timings, t.total_s, t.prompt_s, t.generate_s, t.n_prompt, t.n_reused, t.n_generated};
  }
};

namespace {

/// `call`: the generator's, with options and callback.
template <class Call>
fovea_status generate(fovea_generator *generator, const fovea_generate_options *options,
                      fovea_generation **out, Call &&call) {
  return create(out, [&] {
    require(generator, "generator");
    const fovea_generate_options o = read_struct(options, generate_defaults(), "generate options");
    return std::make_unique<fovea_generation>(call(generator->generator, to_options(o), to_callback(o)));
  });
}

const int32_t *list(const std::vector<int32_t> *ids, size_t *n) {
  if (n) *n = ids ? ids->size() : 0;
  return ids ? ids->data() : nullptr;
}

} // namespace

extern "C" {

void fovea_generator_options_init(fovea_generator_options *options, size_t struct_size) {
  write_struct(options, struct_size, kGeneratorDefaults);
}
void fovea_generate_options_init(fovea_generate_options *options, size_t struct_size) {
  write_struct(options, struct_size, generate_defaults());
}

fovea_status fovea_generator_create(fovea_device *device, const fovea_model *model,
                                    const fovea_generator_options *options, fovea_generator **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_generator_options o = read_struct(options, kGeneratorDefaults, "generator options");
    if (!Generator::accepts(*model->model))
      fail(ErrorCode::Unsupported, model->model->path(), ": not a model that continues text (its task is '",
           model->task, "', expected 'generate')");
    GeneratorOptions wanted;
    wanted.n_context = o.context;
    wanted.n_chunk = o.chunk;
    wanted.cache = to_cache(o.cache);
    wanted.timestamps = o.profile != 0;
    return std::make_unique<fovea_generator>(fovea_generator{
        device->device, wanted.timestamps,
        Generator(device->device, model->model, model->weights(*device, o.progress, o.user), wanted)});
  });
}
void fovea_generator_release(fovea_generator *generator) { delete generator; }

uint32_t fovea_generator_context(const fovea_generator *generator) {
  return generator ? generator->generator.n_context() : 0;
}
const char *fovea_generator_chat_format(const fovea_generator *generator) {
  return generator && generator->generator.chat_format() ? generator->generator.chat_format()->name.c_str()
                                                         : nullptr;
}
fovea_status fovea_generator_memory(const fovea_generator *generator, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(generator, "generator")->generator.memory()); });
}
fovea_status fovea_generator_profile(const fovea_generator *generator, char **out) {
  return create_text(out, [&] {
    require(generator, "generator");
    if (!generator->profile)
      fail(ErrorCode::Unsupported, "no profile: the generator was not made with profile = 1");
    if (generator->device->caps().timestamp_period_ns <= 0)
      fail(ErrorCode::Unsupported, "no profile: ", generator->device->name(), " has no timestamps");
    return profile_json(generator->generator.profile());
  });
}

fovea_status fovea_generate(fovea_generator *generator, const char *prompt,
                            const fovea_generate_options *options, fovea_generation **out) {
  return generate(generator, options, out,
                  [&](Generator &g, const GenerateOptions &o, const TextCallback &text) {
                    return g.generate(std::string_view(require(prompt, "prompt")), o, text);
                  });
}
fovea_status fovea_generate_from_tokens(fovea_generator *generator, const int32_t *tokens, size_t n_tokens,
                                        const fovea_generate_options *options, fovea_generation **out) {
  return generate(generator, options, out,
                  [&](Generator &g, const GenerateOptions &o, const TextCallback &text) {
                    if (n_tokens) require(tokens, "tokens");
                    return g.generate(std::span(tokens, n_tokens), o, text);
                  });
}
fovea_status fovea_chat(fovea_generator *generator, const fovea_message *messages, size_t n_messages,
                        const fovea_generate_options *options, fovea_generation **out) {
  return generate(generator, options, out,
                  [&](Generator &g, const GenerateOptions &o, const TextCallback &text) {
                    if (n_messages) require(messages, "messages");
                    std::vector<ChatMessage> list;
                    for (size_t i = 0; i < n_messages; ++i)
                      list.push_back({parse_chat_role(require(messages[i].role, "messages[i].role")),
                                      require(messages[i].content, "messages[i].content")});
                    return g.chat(list, o, text);
                  });
}

void fovea_generation_release(fovea_generation *generation) { delete generation; }
const char *fovea_generation_text(const fovea_generation *generation) {
  return generation ? generation->generation.text.c_str() : "";
}
const int32_t *fovea_generation_tokens(const fovea_generation *generation, size_t *n_tokens) {
  return list(generation ? &generation->generation.tokens : nullptr, n_tokens);
}
const int32_t *fovea_generation_prompt(const fovea_generation *generation, size_t *n_tokens) {
  return list(generation ? &generation->generation.prompt : nullptr, n_tokens);
}
fovea_finish fovea_generation_finish(const fovea_generation *generation) {
  return generation ? fovea_finish(generation->generation.finish) : FOVEA_FINISH_END;
}
const char *fovea_finish_name(fovea_finish finish) {
  return uint32_t(finish) <= uint32_t(FinishReason::Context) ? to_string(FinishReason(finish)) : "unknown";
}
const fovea_generate_timings *fovea_generation_timings(const fovea_generation *generation) {
  return generation ? &generation->timings : nullptr;
}

} // extern "C"
