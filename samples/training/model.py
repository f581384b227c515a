"""A Conformer (Gulati et al., 2020) with a CTC head. Two strided convolutions bring 10 ms frames to 40 ms positions;
attention has no positional encoding (the convolutions know the order); norms are LayerNorms."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from features import N_MELS, SUBSAMPLING_KERNEL, SUBSAMPLING_STRIDE

CONFIG = dict(architectures=["ConformerForCTC"], model_type="conformer_ctc", num_mel_bins=N_MELS, hidden_size=192,
              num_hidden_layers=8, num_attention_heads=3, intermediate_size=384, conv_kernel_size=15,
              subsampling_kernel_size=SUBSAMPLING_KERNEL, subsampling_stride=SUBSAMPLING_STRIDE, hidden_act="silu",
              layer_norm_eps=1e-5, vocab_size=256, pad_token_id=0)


class LayerNorm(nn.LayerNorm):
    """In f32, whatever the precision around it."""

    def forward(self, x):
        return super().forward(x.float())


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear1 = nn.Linear(c["hidden_size"], c["intermediate_size"])
        self.linear2 = nn.Linear(c["intermediate_size"], c["hidden_size"])

    def forward(self, x):
        return self.linear2(F.silu(self.linear1(x).float()))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.heads = c["num_attention_heads"]
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x, hidden):
        b, t, d = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        scores = (q @ k.transpose(2, 3)) / math.sqrt(d // self.heads)
        return self.o_proj((scores + hidden).softmax(-1).to(v.dtype).matmul(v).transpose(1, 2).reshape(b, t, d))


class Convolution(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, k = c["hidden_size"], c["conv_kernel_size"]
        self.pointwise_conv1 = nn.Linear(d, 2 * d)
        self.depthwise_conv = nn.Conv1d(d, d, k, padding=k // 2, groups=d)
        self.norm = LayerNorm(d, c["layer_norm_eps"])
        self.pointwise_conv2 = nn.Linear(d, d)

    def forward(self, x, shown):
        x = F.glu(self.pointwise_conv1(x)) * shown
        c = self.depthwise_conv  # as in two dimensions, where PyTorch takes rows of channels as they lie: four times as fast
        x = F.conv2d(x.transpose(1, 2).unsqueeze(2), c.weight.unsqueeze(2), c.bias, padding=(0, c.padding[0]), groups=c.groups)
        x = x.squeeze(2).transpose(1, 2)
        return self.pointwise_conv2(F.silu(self.norm(x)))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, eps = c["hidden_size"], c["layer_norm_eps"]
        self.feed_forward1, self.feed_forward2 = FeedForward(c), FeedForward(c)
        self.self_attn, self.conv = Attention(c), Convolution(c)
        self.norm_feed_forward1, self.norm_self_att, self.norm_conv, self.norm_feed_forward2, self.norm_out = (
            LayerNorm(d, eps) for _ in range(5))

    def forward(self, x, shown, hidden):
        x = x + 0.5 * self.feed_forward1(self.norm_feed_forward1(x))
        x = x + self.self_attn(self.norm_self_att(x), hidden)
        x = x + self.conv(self.norm_conv(x), shown)
        x = x + 0.5 * self.feed_forward2(self.norm_feed_forward2(x))
        return self.norm_out(x)


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, k, s = c["hidden_size"], c["subsampling_kernel_size"], c["subsampling_stride"]
        self.conv1 = nn.Conv1d(c["num_mel_bins"], d, k, s)
        self.conv2 = nn.Conv1d(d, d, k, s)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))


class ConformerForCTC(nn.Module):
    def __init__(self, config=CONFIG):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.ctc_head = nn.Linear(config["hidden_size"], config["vocab_size"])

    def forward(self, mel, n_positions, middle_head=None):
        """[B, frames, 80], [B] → logits [B, T, V]; with middle_head: also what it makes of the middle layer's rows."""
        e = self.encoder
        x = F.silu(e.conv1(mel.transpose(1, 2)).float())
        x = F.silu(e.conv2(x).float()).transpose(1, 2)
        inside = torch.arange(x.shape[1])[None, :] < n_positions[:, None]
        shown = inside[:, :, None].to(x.dtype)
        hidden = torch.zeros(inside.shape).masked_fill(~inside, -1e4)[:, None, None, :].to(x.dtype)
        middle = None
        for i, layer in enumerate(e.layers):
            x = layer(x, shown, hidden)
            if middle_head and i + 1 == len(e.layers) // 2:
                middle = middle_head(x)
        return (self.ctc_head(x), middle) if middle_head else self.ctc_head(x)
