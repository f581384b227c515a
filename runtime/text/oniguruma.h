// Regular expressions as published tokenizers write them (Oniguruma, Ruby syntax, Unicode) in PCRE2's syntax.
//
// Where the two read the same characters differently, the result says what Oniguruma means: \s, \w, \b, \h,
// \Z by Unicode properties, character classes within classes, `^` and `$` at every line. Pure; throws Error
// Unsupported for what has no equal (intersections of classes, absent groups), naming `source`.
#pragma once

#include <string>
#include <string_view>

namespace fovea {

std::string pcre2_from_oniguruma(std::string_view expression, const std::string &source);

} // namespace fovea
