// Text generation for C++: RAII over generate.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/fovea.hpp>
#include <fovea/generate.h>

namespace fovea {
inline namespace client {

class Generation {
public:
  explicit Generation(fovea_generation *handle) : handle_(handle) {}
  const char *text() const { return fovea_generation_text(get()); }
  std::vector<int32_t> tokens() const { return list(fovea_generation_tokens); }
  std::vector<int32_t> prompt() const { return list(fovea_generation_prompt); }
  fovea_finish finish() const { return fovea_generation_finish(get()); }
  const fovea_generate_timings &timings() const { return *fovea_generation_timings(get()); }
  fovea_generation *get() const { return handle_.get(); }

private:
  std::vector<int32_t> list(const int32_t *(*of)(const fovea_generation *, size_t *)) const {
    size_t n = 0;
    const int32_t *ids = of(get(), &n);
    return {ids, ids + n};
  }
  detail::Handle<fovea_generation, fovea_generation_release> handle_;
};

/// The struct's own callback and user pointer are not used.
struct GenerateOptions : fovea_generate_options {
  GenerateOptions() { fovea_generate_options_init(this, sizeof(fovea_generate_options)); }
};

struct GeneratorOptions : fovea_generator_options {
  GeneratorOptions() { fovea_generator_options_init(this, sizeof(fovea_generator_options)); }
};

/// Text as it comes; return false to stop.
using TextCallback = std::function<bool(const char *text)>;

class Generator {
public:
  static Result<Generator> create(const Device &device, const Model &model,
                                  const GeneratorOptions &options = {}) {
    fovea_generator *handle = nullptr;
    const fovea_status status = fovea_generator_create(device.get(), model.get(), &options, &handle);
    return status == FOVEA_OK ? Result<Generator>(Generator(handle)) : Result<Generator>(status);
  }
  Result<Generation> generate(const std::string &prompt, const GenerateOptions &options = {},
                              const TextCallback &text = {}) {
    return run(options, text, [&](const fovea_generate_options &o, fovea_generation **out) {
      return fovea_generate(get(), prompt.c_str(), &o, out);
    });
  }
  Result<Generation> generate(const std::vector<int32_t> &prompt, const GenerateOptions &options = {},
                              const TextCallback &text = {}) {
    return run(options, text, [&](const fovea_generate_options &o, fovea_generation **out) {
      return fovea_generate_from_tokens(get(), prompt.data(), prompt.size(), &o, out);
    });
  }
  Result<Generation> chat(const std::vector<fovea_message> &messages, const GenerateOptions &options = {},
                          const TextCallback &text = {}) {
    return run(options, text, [&](const fovea_generate_options &o, fovea_generation **out) {
      return fovea_chat(get(), messages.data(), messages.size(), &o, out);
    });
  }
  uint32_t context() const { return fovea_generator_context(get()); }
  /// nullptr where the model has none.
  const char *chat_format() const { return fovea_generator_chat_format(get()); }
  Result<fovea_memory> memory() const {
    fovea_memory memory;
    fovea_memory_init(&memory, sizeof memory);
    const fovea_status status = fovea_generator_memory(get(), &memory);
    return status == FOVEA_OK ? Result<fovea_memory>(memory) : Result<fovea_memory>(status);
  }
  Result<std::string> profile() const {
    char *text = nullptr;
    const fovea_status status = fovea_generator_profile(get(), &text);
    return detail::take_text(status, text);
  }
  fovea_generator *get() const { return handle_.get(); }

private:
  explicit Generator(fovea_generator *handle) : handle_(handle) {}

  template <class Call>
  static Result<Generation> run(fovea_generate_options options, const TextCallback &text, Call &&call) {
    std::pair<const TextCallback &, detail::Guard> context{text, {}};
    options.user = &context;
    options.on_text = nullptr;
    if (text)
      options.on_text = [](void *user, const char *piece) {
        auto &c = *static_cast<decltype(context) *>(user);
        return c.second([&] { return c.first(piece) ? 0 : 1; });
      };
    fovea_generation *generation = nullptr;
    const fovea_status status = call(options, &generation);
    Result<Generation> result =
        status == FOVEA_OK ? Result<Generation>(Generation(generation)) : Result<Generation>(status);
    context.second.rethrow();
    return result;
  }
  detail::Handle<fovea_generator, fovea_generator_release> handle_;
};

} // namespace client
} // namespace fovea
