// What the tests with real weights share (../shared/models/whisper-tiny.en).
#pragma once

#include "models/golden.h"

#include "tasks/transcribe.h"

namespace fovea::test {

Transcriber real_transcriber(const std::string &folder, Encoding encoding, uint32_t n_beams = 1,
                             bool pure = false);

/// As the reference was run: greedy, once, to the end of the context.
TranscribeOptions as_reference(bool timestamps);

/// Words to add, remove or replace (Levenshtein) to get from one text to the other; adds the words of `want`
/// to `n_words`. Markers of time (<|1.20|>) are no words.
size_t n_words_differ(const std::string &got, const std::string &want, size_t &n_words);

} // namespace fovea::test
