#include "api/json.h"

#include "base/error.h"

#include <cmath>

namespace fovea::api {

void JsonWriter::separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

JsonWriter &JsonWriter::begin(char open, char close) {
  separate();
  text_ += open;
  closers_ += close;
  first_ = true;
  return *this;
}

JsonWriter &JsonWriter::end() {
  text_ += closers_.back();
  closers_.pop_back();
  first_ = false;
  return *this;
}

JsonWriter &JsonWriter::key(std::string_view name) {
  value(name);
  text_ += ':';
  first_ = true; // no comma between a key and its value
  return *this;
}

JsonWriter &JsonWriter::raw(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

JsonWriter &JsonWriter::value(double v) { return raw(std::isfinite(v) ? concat(v) : "null"); }

JsonWriter &JsonWriter::value(std::string_view text) {
  separate();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      text_ += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    } else {
      text_ += c;
    }
  }
  text_ += '"';
  return *this;
}

std::string profile_json(std::span<const ProfileRow> rows) {
  JsonWriter json;
  json.begin_array();
  for (const ProfileRow &row : rows)
    json.begin_object()
        .member("graph", row.graph)
        .member("statement", row.statement)
        .member("kernel", row.kernel)
        .member("runs", row.n_runs)
        .member("time_us", row.gpu_time_ns / 1e3)
        .member("flops", row.flops)
        .member("bytes", row.bytes)
        .end();
  return json.end().text();
}

} // namespace fovea::api
