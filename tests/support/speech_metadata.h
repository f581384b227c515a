// Metadata of a tiny speech-to-text model: 40 text tokens, seven special ones, 26 times of 20 ms.
#pragma once

#include "format/gguf_writer.h"
#include "tasks/speech_spec.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_data.h"

#include <map>

namespace fovea::test {

using Metadata = std::map<std::string, MetaData>;

inline constexpr uint32_t kTinyPositions = 25, kTinyContext = 48, kTinyTimeBegin = 47,
                          kTinyVocabulary = kTinyTimeBegin + kTinyPositions + 1;

/// multilingual: two of the text tokens stand for languages.
inline Metadata speech_metadata(bool multilingual = false) {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  const auto add = [&](std::string text, int32_t type) {
    tokens.push_back(std::move(text));
    types.push_back(type);
  };
  for (char c = 'a'; c <= 'z'; ++c) add(std::string(1, c), 1);
  add(byte_to_alphabet(' '), 1);
  for (char c = '0'; c <= '9'; ++c) add(std::string(1, c), 1);
  add(byte_to_alphabet(0xC3), 1); // "é" in two tokens
  add(byte_to_alphabet(0xA9), 1);
  add(byte_to_alphabet(' ') + "a", 1);
  for (const char *name : {"end", "start", "translate", "transcribe", "previous", "nospeech", "notimestamps"})
    add(concat("<|", name, "|>"), 3);
  while (tokens.size() < kTinyVocabulary) add(concat("<|t", tokens.size(), "|>"), 4);

  Metadata m;
  m["general.architecture"] = std::string("fovea");
  m["fovea.task"] = std::string("transcribe");
  m["fovea.run.graphs"] = std::vector<std::string>{"features", "encode", "decoder"};
  m["fovea.audio.sample_rate"] = 16000u;
  m["fovea.audio.window_samples"] = 2 * kTinyPositions * 160;
  m["fovea.audio.hop"] = 160u;
  m["fovea.audio.context_before"] = 200u;
  m["fovea.audio.context_after"] = 40u;
  m["fovea.transcribe.frames"] = 2 * kTinyPositions;
  m["fovea.transcribe.positions"] = kTinyPositions;
  m["fovea.transcribe.context"] = kTinyContext;
  m["fovea.transcribe.vocabulary"] = kTinyVocabulary;
  m["fovea.transcribe.multilingual"] = multilingual;
  const std::pair<const char *, int32_t> ids[] = {{"end", 40},           {"start", 41},     {"translate", 42},
                                                  {"transcribe", 43},    {"previous", 44},  {"no_speech", 45},
                                                  {"no_timestamps", 46}, {"time_begin", 47}};
  for (const auto &[name, id] : ids) m[concat("fovea.transcribe.token.", name)] = id;
  m["fovea.transcribe.languages"] =
      multilingual ? std::vector<std::string>{"en", "de"} : std::vector<std::string>{};
  m["fovea.transcribe.language_tokens"] =
      multilingual ? std::vector<int32_t>{38, 39} : std::vector<int32_t>{};
  m["tokenizer.ggml.model"] = std::string("gpt2");
  m["tokenizer.ggml.tokens"] = tokens;
  m["tokenizer.ggml.token_type"] = types;
  m["tokenizer.ggml.merges"] = std::vector<std::string>{byte_to_alphabet(' ') + " a"};
  m["fovea.tokenizer.pattern"] = std::string(kByteLevelPattern);
  return m;
}

/// The metadata as a checked SpeechSpec, for tests of parts that need one.
inline SpeechSpec tiny_spec() {
  SpeechSpec s;
  s.sample_rate_hz = 16000;
  s.window_samples = 2 * kTinyPositions * 160;
  s.hop_samples = 160;
  s.context_before = 200;
  s.context_after = 40;
  s.n_frames = 2 * kTinyPositions;
  s.n_positions = kTinyPositions;
  s.n_context = kTinyContext;
  s.n_vocabulary = kTinyVocabulary;
  s.end = 40;
  s.start = 41;
  s.translate = 42;
  s.transcribe = 43;
  s.previous = 44;
  s.no_speech = 45;
  s.no_timestamps = 46;
  s.time_begin = 47;
  s.languages = {"en"};
  return s;
}

} // namespace fovea::test
