// TranscriptWriter: one recording's transcript to stdout as it comes, or to a file that appears when it is
// whole. One thread. Throws fovea::Error (IO).
#pragma once

#include "console.h"

#include <fovea/transcribe.hpp>

#include <optional>

namespace tool {

enum class TranscriptFormat { Text, Srt, Vtt, Json };

class TranscriptWriter {
public:
  /// `output` empty: stdout, where each of `several` texts gets a heading and each JSON document one line.
  TranscriptWriter(TranscriptFormat format, std::string audio, const std::string &output, bool several);
  void segment(const fovea_segment &segment);
  /// The segment as one line of JSON; `type` says what it is.
  void line(const fovea_segment &segment, const char *type);
  void finish(const fovea::Transcript &transcript);
  /// Of what was written so far.
  void finish();

private:
  void write(std::string_view text);
  void begin();
  fovea_subtitle_format cue_format() const;

  TranscriptFormat format_;
  std::string audio_;
  std::optional<OutputFile> file_;
  bool several_, begun_ = false;
  uint32_t n_cues_ = 0;
};

} // namespace tool
