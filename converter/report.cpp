#include "converter/convert.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace fovea {
namespace {

template <class... Values> std::string print(const char *format, Values... values) {
  char line[400];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}

constexpr double kMega = 1e6;

} // namespace

std::string to_text(const ConvertReport &report, bool every_tensor) {
  std::string out;
  if (every_tensor) {
    out += print("%-44s %-24s %12s %12s %12s\n", "tensor", "type", "bytes", "worst error", "rms error");
    for (const TensorReport &t : report.tensors)
      out += print("%-44s %-24s %12llu %12.3g %11.4f%%%s%s\n", t.name.c_str(), to_string(t.type).c_str(),
                   static_cast<unsigned long long>(t.bytes), t.error.max_abs, 100 * t.error.relative_rms(),
                   t.note.empty() ? "" : "  ", t.note.c_str());
  }
  for (const Encoding encoding : kAllEncodings) {
    EncodingError total;
    const TensorReport *worst = nullptr;
    uint64_t bytes = 0, count = 0;
    for (const TensorReport &t : report.tensors) {
      if (t.type.encoding != encoding) continue;
      bytes += t.bytes;
      ++count;
      total.add(t.error);
      if (!worst || t.error.relative_rms() > worst->error.relative_rms()) worst = &t;
    }
    if (count == 0) continue;
    out += print("%-4s %5llu tensors %10.1f MB  rms error %.4f%%", to_string(encoding),
                 static_cast<unsigned long long>(count), double(bytes) / kMega, 100 * total.relative_rms());
    if (worst->error.relative_rms() > 0)
      out += print(", worst %.4f%% in %s", 100 * worst->error.relative_rms(), worst->name.c_str());
    out += '\n';
  }
  std::map<std::string_view, int> notes;
  for (const TensorReport &t : report.tensors)
    if (!t.note.empty()) ++notes[t.note];
  for (const auto &[note, count] : notes) out += concat(count, " tensors ", note, "\n");
  return out + print("%s: %.1f MB -> %.1f MB in %.1f s\n", report.architecture.c_str(),
                     double(report.source_bytes) / kMega, double(report.output_bytes) / kMega,
                     report.seconds);
}

} // namespace fovea
