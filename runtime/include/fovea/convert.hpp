// Conversion for C++: RAII over convert.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/convert.h>
#include <fovea/fovea.hpp>

namespace fovea {
inline namespace client {

class ConvertReport {
public:
  explicit ConvertReport(fovea_convert_report *handle) : handle_(handle) {}
  const char *architecture() const { return fovea_convert_report_architecture(get()); }
  uint64_t source_bytes() const { return fovea_convert_report_source_bytes(get()); }
  uint64_t output_bytes() const { return fovea_convert_report_output_bytes(get()); }
  double seconds() const { return fovea_convert_report_seconds(get()); }
  size_t n_tensors() const { return fovea_convert_report_tensor_count(get()); }
  const fovea_convert_tensor &tensor(size_t i) const { return *fovea_convert_report_tensor(get(), i); }
  size_t n_warnings() const { return fovea_convert_report_warning_count(get()); }
  const char *warning(size_t i) const { return fovea_convert_report_warning(get(), i); }
  Result<std::string> text(bool every_tensor) const {
    char *text = nullptr;
    const fovea_status status = fovea_convert_report_text(get(), every_tensor, &text);
    return detail::take_text(status, text);
  }
  fovea_convert_report *get() const { return handle_.get(); }

private:
  detail::Handle<fovea_convert_report, fovea_convert_report_release> handle_;
};

struct ConvertOptions : fovea_convert_options {
  ConvertOptions() { fovea_convert_options_init(this, sizeof(fovea_convert_options)); }
};

/// The struct's own progress and user pointer are not used.
inline Result<ConvertReport> convert(const std::string &source, const std::string &output,
                                     ConvertOptions options = {}, const Progress &progress = {}) {
  detail::ProgressContext context(progress, options);
  fovea_convert_report *report = nullptr;
  const fovea_status status = fovea_convert(source.c_str(), output.c_str(), &options, &report);
  Result<ConvertReport> result =
      status == FOVEA_OK ? Result<ConvertReport>(ConvertReport(report)) : Result<ConvertReport>(status);
  context.rethrow();
  return result;
}

} // namespace client
} // namespace fovea
