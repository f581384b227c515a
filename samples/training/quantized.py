"""Training with the weights that a q4 file will have (docs/format.md): the forward pass sees them rounded, the step is made
to the exact ones (straight-through estimation, Bengio et al., 2013), which so become such that rounding costs little."""
import contextlib

import torch

GROUP = 32


def as_q4(w):
    """[N, K], K a multiple of 32: as stored, but with the simplest scale, by which the largest of a group is -8."""
    groups = w.view(w.shape[0], -1, GROUP)
    largest = groups.gather(-1, groups.abs().argmax(-1, keepdim=True))
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / -8)
    return (groups / scale).round_().clamp_(-8, 7).mul_(scale).view_as(w)


@contextlib.contextmanager
def weights_as_q4(matrices):
    """Within, each has its rounded values; gradients are of these. Afterwards the exact ones are back."""
    exact = [p.data for p in matrices]
    for p in matrices:
        p.data = as_q4(p.data)
    try:
        yield
    finally:
        for p, data in zip(matrices, exact):
            p.data = data
