// Conversion behind the C interface: the library fovea_convert.
#include "api/guard.h"

#include "converter/convert.h"

#include <fovea/convert.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_convert_options kDefaults = {
    sizeof(fovea_convert_options), nullptr, 0, nullptr, nullptr, nullptr, 0};

} // namespace

struct fovea_convert_report {
  ConvertReport report;
  std::vector<fovea_convert_tensor> tensors;

  explicit fovea_convert_report(ConvertReport r) : report(std::move(r)) {
    for (const TensorReport &t : report.tensors) {
      fovea_convert_tensor row{};
      row.struct_size = sizeof row;
      row.name = t.name.c_str();
      row.encoding = to_string(t.type.encoding);
      row.rank = uint32_t(t.type.shape.rank());
      std::copy(t.type.shape.dims().begin(), t.type.shape.dims().end(), row.shape);
      row.bytes = t.bytes;
      row.max_error = t.error.max_abs;
      row.relative_rms_error = t.error.relative_rms();
      row.note = t.note.c_str();
      tensors.push_back(row);
    }
  }
};

extern "C" {

void fovea_convert_options_init(fovea_convert_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDefaults);
}

fovea_status fovea_convert(const char *source, const char *output, const fovea_convert_options *options,
                           fovea_convert_report **out) {
  if (out) *out = nullptr;
  return guard([&] {
    const fovea_convert_options given = read_struct(options, kDefaults, "convert options");
    ConvertOptions wanted;
    if (given.encoding) wanted.encoding = parse_encoding(given.encoding);
    wanted.n_threads = given.n_threads;
    wanted.pure = given.pure != 0;
    wanted.progress = [&](const Progress &p) {
      report_progress(given.progress, given.user, double(p.done_bytes), double(p.total_bytes));
      return !fovea_cancel_requested(given.cancel);
    };
    auto report = std::make_unique<fovea_convert_report>(
        convert(std::string(require(source, "source")), std::string(require(output, "output")), wanted));
    if (out) *out = report.release();
  });
}
void fovea_convert_report_release(fovea_convert_report *report) { delete report; }

const char *fovea_convert_report_architecture(const fovea_convert_report *report) {
  return report ? report->report.architecture.c_str() : "";
}
uint64_t fovea_convert_report_source_bytes(const fovea_convert_report *report) {
  return report ? report->report.source_bytes : 0;
}
uint64_t fovea_convert_report_output_bytes(const fovea_convert_report *report) {
  return report ? report->report.output_bytes : 0;
}
double fovea_convert_report_seconds(const fovea_convert_report *report) {
  return report ? report->report.seconds : 0;
}
size_t fovea_convert_report_warning_count(const fovea_convert_report *report) {
  return report ? report->report.warnings.size() : 0;
}
const char *fovea_convert_report_warning(const fovea_convert_report *report, size_t index) {
  return index < fovea_convert_report_warning_count(report) ? report->report.warnings[index].c_str()
                                                            : nullptr;
}
fovea_status fovea_convert_report_text(const fovea_convert_report *report, int every_tensor, char **out) {
  return create_text(out, [&] { return to_text(require(report, "report")->report, every_tensor != 0); });
}
size_t fovea_convert_report_tensor_count(const fovea_convert_report *report) {
  return report ? report->tensors.size() : 0;
}
const fovea_convert_tensor *fovea_convert_report_tensor(const fovea_convert_report *report, size_t index) {
  return report && index < report->tensors.size() ? &report->tensors[index] : nullptr;
}

} // extern "C"
