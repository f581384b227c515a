// The graphs of Whisper (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022),
// in the form of the published PyTorch code. Pure; thread-safe.
#pragma once

#include "graph/graph.h"

namespace fovea::whisper {

/// Sizes of one model, and what of the vocabulary the graphs need.
struct Sizes {
  uint32_t n_mels = 0;     // M
  uint32_t positions = 0;  // P: rows of the encoder's output; 2 P frames go in
  uint32_t context = 0;    // C: rows of the decoder's cache
  uint32_t vocabulary = 0; // V
  uint32_t width = 0;      // D
  uint32_t encoder_layers = 0, encoder_heads = 0, encoder_ffn = 0;
  uint32_t decoder_layers = 0, decoder_heads = 0, decoder_ffn = 0;
  uint32_t time_begin = 0;        // id of <|0.00|>; V when there are no times
  Encoding cache = Encoding::F16; // of keys and values kept in states
};

// Framing of the log-mel spectrogram: 16 kHz, 25 ms Hann windows every 10 ms, centred.
inline constexpr uint32_t kSampleRate = 16000, kWindow = 400, kHop = 160;
// Samples of context that centred frames reach to either side of a stretch of whole hops.
inline constexpr uint32_t kContextBefore = kWindow / 2, kContextAfter = kWindow / 2 - kHop;
// Frequency bins (201), padded so that rows are whole 16-byte words; the padding is zero in basis and
// filters.
inline constexpr uint32_t kBins = kWindow / 2 + 1, kPaddedBins = 208;

/// features, peak, window, encode, decoder, step, reorder: see docs/graph.md.
std::vector<Graph> graphs(const Sizes &sizes);

} // namespace fovea::whisper
