// Constants of the log-mel front end: the windowed Fourier basis and the mel filter bank. Pure; thread-safe.
// Sources: Hann window and centred frames as torch.stft; mel scale and area normalization of M. Slaney's
// Auditory Toolbox (1998), as librosa and the Hugging Face feature extractors default to.
#pragma once

#include <cstdint>
#include <vector>

namespace fovea {

/// [2 * padded_bins, window]: rows 0 … window / 2 hold hann[n] cos(2 pi f n / window), rows padded_bins … the
/// negative sines; the rest is zero. A product with it is a Fourier transform of the windowed frame.
std::vector<float> fourier_basis(uint32_t window, uint32_t padded_bins);

/// [n_mels, padded_bins] triangular filters over bins 0 … window / 2, from 0 Hz to half the sample rate.
std::vector<float> mel_filters(uint32_t n_mels, uint32_t window, uint32_t padded_bins, uint32_t sample_rate);

} // namespace fovea
