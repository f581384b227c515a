// fovea transcribe --mic and --realtime: sound is transcribed while it comes.
#pragma once

#include "transcript_writer.h"

#include <fovea/stream.hpp>

namespace tool {

struct LiveArguments {
  bool microphone = false;
  std::string device;    // of the microphone
  std::string recording; // else: fed at its own pace
  TranscriptFormat format = TranscriptFormat::Text;
  std::string output; // "": stdout
  bool quiet = false;
  fovea::StreamOptions options;
};

/// Until the recording ends, the microphone is gone, or Ctrl-C, which settles what was heard. The exit code.
int transcribe_live(fovea::Transcriber &transcriber, const LiveArguments &arguments);

} // namespace tool
