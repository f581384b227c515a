"""Muon (K. Jordan et al., 2024): momentum whose matrix is made orthogonal before each step, here with the scale of
"Muon is scalable for LLM training" (Liu et al., 2025), so that AdamW's learning rate serves both."""
import torch


def orthogonal(g, steps=5):
    """[N, rows, columns]: about U Vᵀ of each one's singular value decomposition, by Newton and Schulz's iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    wide = x.shape[1] <= x.shape[2]
    if not wide:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.transpose(1, 2)
        x = a * x + (b * s + c * s @ s) @ x
    return (x if wide else x.transpose(1, 2)).float()


class Muon(torch.optim.Optimizer):
    """For matrices only."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                by_shape.setdefault(tuple(p.shape), []).append(p)
            for (rows, columns), params in by_shape.items():
                for p in params:
                    state = self.state[p]
                    if not state:
                        state["momentum"] = torch.zeros_like(p)
                    state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                steps = orthogonal(torch.stack([p.grad.lerp(self.state[p]["momentum"], group["momentum"])
                                                for p in params]))
                for p, step in zip(params, steps):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(step, alpha=-group["lr"] * 0.2 * max(rows, columns) ** 0.5)
