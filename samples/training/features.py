"""What the model hears: log-mel energies of sound brought to mean 0 and variance 1, as the converted model's own
graph computes them. 25 ms windows (periodic Hann) every 10 ms, none of them past an edge; 80 mel filters by
M. Slaney's Auditory Toolbox (1998); log10, floored."""
import numpy as np

RATE = 16000
WINDOW, HOP, N_MELS = 400, 160, 80
FLOOR = 1e-5
SUBSAMPLING_KERNEL, SUBSAMPLING_STRIDE = 3, 2  # twice


def to_mel(hz):
    return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1e-9) / 1000) * 27 / np.log(6.4))


def to_hz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


_EDGES = np.linspace(0, to_mel(np.array(RATE / 2.0)), N_MELS + 2)  # in mel


def mel_filters():
    """[201, 80]"""
    edges = to_hz(_EDGES)
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))


_FILTERS = mel_filters().astype(np.float32)
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def log_mel(samples):
    """[N] floats → [(N - 400) // 160 + 1, 80]"""
    x = np.asarray(samples, np.float32)
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    frames = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::HOP] * _HANN
    power = np.abs(np.fft.rfft(frames)).astype(np.float32) ** 2
    return np.log10(np.maximum(power @ _FILTERS, FLOOR)).astype(np.float32)


def warped_bins(factor):
    """[80] Where on the axis of mel energies the frequency of each, times `factor`, lies."""
    return to_mel(to_hz(_EDGES[1:-1]) * factor) / _EDGES[1] - 1


STEP, _LOWEST = np.float32(0.032), np.float32(np.log10(FLOOR))


def pack(mel):
    """As bytes, for storage."""
    return np.clip(np.round((mel - _LOWEST) / STEP), 0, 255).astype(np.uint8)


def unpack(packed):
    return packed * STEP + _LOWEST


def n_positions(n_frames):
    """Of the encoder, for frames of log_mel."""
    for _ in range(2):
        n_frames = (n_frames - SUBSAMPLING_KERNEL) // SUBSAMPLING_STRIDE + 1
    return n_frames
