// JsonWriter: the few JSON texts that the C interface gives (profiles, bench reports). A value; one thread.
// Nothing throws but std::bad_alloc. Rejected: a JSON library in the runtime (it writes three flat lists and
// reads none).
#pragma once

#include "tasks/profile_row.h"

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace fovea::api {

class JsonWriter {
public:
  JsonWriter &begin_object() { return begin('{', '}'); }
  JsonWriter &begin_array() { return begin('[', ']'); }
  JsonWriter &key(std::string_view name);
  /// Ends the innermost object or array.
  JsonWriter &end();

  JsonWriter &value(std::string_view text);
  JsonWriter &value(const char *text) { return value(std::string_view(text)); }
  JsonWriter &value(bool v) { return raw(v ? "true" : "false"); }
  /// In digits that read back as the same number; null when it is not finite, as JSON has no such numbers.
  JsonWriter &value(double v);
  JsonWriter &value(std::unsigned_integral auto v) { return raw(std::to_string(v)); }

  template <class T> JsonWriter &member(std::string_view name, const T &v) { return key(name).value(v); }

  const std::string &text() const { return text_; }

private:
  JsonWriter &begin(char open, char close);
  JsonWriter &raw(std::string_view text);
  void separate();
  std::string text_, closers_;
  bool first_ = true; // nothing written yet in the innermost object or array
};

/// Summed profiles: what fovea_transcriber_profile() gives.
std::string profile_json(std::span<const ProfileRow> rows);

} // namespace fovea::api
