// Text to text for C++: RAII over translate.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/fovea.hpp>
#include <fovea/translate.h>

namespace fovea {
inline namespace client {

class Translations {
public:
  explicit Translations(fovea_translations *handle) : handle_(handle) {}
  size_t size() const { return fovea_translations_count(handle_.get()); }
  const fovea_translation &operator[](size_t i) const { return *fovea_translations_get(handle_.get(), i); }

private:
  detail::Handle<fovea_translations, fovea_translations_release> handle_;
};

struct TranslatorOptions : fovea_translator_options {
  TranslatorOptions() { fovea_translator_options_init(this, sizeof(fovea_translator_options)); }
};
struct TranslateOptions : fovea_translate_options {
  TranslateOptions() { fovea_translate_options_init(this, sizeof(fovea_translate_options)); }
};

class Translator {
public:
  static Result<Translator> create(const Device &device, const Model &model,
                                   const TranslatorOptions &options = {}) {
    fovea_translator *handle = nullptr;
    const fovea_status status = fovea_translator_create(device.get(), model.get(), &options, &handle);
    return status == FOVEA_OK ? Result<Translator>(Translator(handle)) : Result<Translator>(status);
  }
  bool has_tokenizer() const { return fovea_translator_has_tokenizer(get()) != 0; }
  std::vector<std::string> tasks() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < fovea_translator_task_count(get()); ++i)
      all.emplace_back(fovea_translator_task(get(), i));
    return all;
  }
  Result<Translations> translate(const std::vector<std::string> &texts,
                                 const TranslateOptions &options = {}) {
    std::vector<const char *> views;
    for (const std::string &text : texts) views.push_back(text.c_str());
    fovea_translations *handle = nullptr;
    const fovea_status status = fovea_translate(get(), views.data(), views.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Translations>(Translations(handle)) : Result<Translations>(status);
  }
  Result<Translations> translate_tokens(const std::vector<std::vector<int32_t>> &texts,
                                        const TranslateOptions &options = {}) {
    std::vector<const int32_t *> views;
    std::vector<size_t> sizes;
    for (const auto &ids : texts) {
      views.push_back(ids.data());
      sizes.push_back(ids.size());
    }
    fovea_translations *handle = nullptr;
    const fovea_status status =
        fovea_translate_tokens(get(), views.data(), sizes.data(), views.size(), &options, &handle);
    return status == FOVEA_OK ? Result<Translations>(Translations(handle)) : Result<Translations>(status);
  }
  fovea_translator *get() const { return handle_.get(); }

private:
  explicit Translator(fovea_translator *handle) : handle_(handle) {}
  detail::Handle<fovea_translator, fovea_translator_release> handle_;
};

} // namespace client
} // namespace fovea
