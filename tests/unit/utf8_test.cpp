#include "text/byte_alphabet.h"
#include "text/utf8.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;

TEST_CASE("byte alphabet: every byte there and back") {
  for (int byte = 0; byte < 256; ++byte)
    CHECK(alphabet_to_bytes(byte_to_alphabet(uint8_t(byte))) == std::string(1, char(byte)));
  CHECK(byte_to_alphabet(' ') == "\xC4\xA0"); // Ġ
  CHECK_FALSE(alphabet_to_bytes(" "));
  CHECK_FALSE(alphabet_to_bytes("\xC5\x84")); // U+0144
  CHECK_FALSE(alphabet_to_bytes("\xE4\xB8\xAD"));
  CHECK_FALSE(alphabet_to_bytes("\xC4"));
}

TEST_CASE("utf-8: one replacement per maximal subpart, streamed or not") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(utf8_replace_invalid("ok \xF0\x9F\x9A\x80") == "ok \xF0\x9F\x9A\x80");
  // The standard's example: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64
  CHECK(utf8_replace_invalid("a\xF1\x80\x80\xE1\x80\xC2"
                             "b\x80"
                             "c\x80\xBF"
                             "d") == "a" + mark + mark + mark + "b" + mark + "c" + mark + mark + "d");
  CHECK(utf8_replace_invalid("\xC0\xAF") == mark + mark);            // overlong
  CHECK(utf8_replace_invalid("\xED\xA0\x80") == mark + mark + mark); // surrogate
  CHECK(utf8_replace_invalid("\xF4\x90\x80\x80") == mark + mark + mark + mark);
  CHECK(utf8_replace_invalid("\xF0\x9F\x9A") == mark);

  std::mt19937 random(11);
  const std::string bytes = "a\x80\xBF\xC3\xE2\x82\xED\xA0\xF0\x9F\x9A\xF4\x90\xFF";
  for (int i = 0; i < 3000; ++i) {
    std::string text, streamed;
    for (size_t n = random() % 12; n > 0; --n) text += bytes[random() % bytes.size()];
    Utf8Stream stream;
    for (size_t at = 0; at < text.size();) {
      const size_t n = 1 + random() % 3;
      streamed += stream.push(std::string_view(text).substr(at, n));
      at += n;
    }
    streamed += stream.finish();
    CHECK(streamed == utf8_replace_invalid(text));
  }
}
