// A window's tokens cut into timed segments, and how far the next window is: the seek rule of the reference
// implementation. Pure; any thread; nothing throws but std::bad_alloc.
#pragma once

#include "tasks/speech_spec.h"

#include <span>

namespace fovea {

struct SegmentCut {
  uint32_t start_frame = 0, end_frame = 0; // from the window's start
  std::span<const int32_t> tokens;         // of the window's
};

struct WindowCut {
  std::vector<SegmentCut> segments;
  uint32_t advance_frames = 0; // to the next window; at least 1
};

/// tokens: without the end token. n_frames: of the recording in this window, 1 … spec.n_frames (the rest is
/// silence added). Two times in a row end one segment and begin the next; what follows the last such pair is
/// left to the next window, which begins there, unless the tokens end with a single time: then nothing more
/// is said in this window.
WindowCut cut_window(const SpeechSpec &spec, std::span<const int32_t> tokens, uint32_t n_frames);

} // namespace fovea
