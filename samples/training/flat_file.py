"""Reads the flat files of docs/format.md: f32 arrays of what is stored as f32, f16, q8 or q4."""
import struct

import numpy as np

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
TYPES = {0: np.float32, 1: np.float16, 26: np.int32}


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        out = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return out

    def string(self):
        n = self.take("<Q")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            kind, n = self.take("<I"), self.take("<Q")
            return [self.value(kind) for _ in range(n)]
        return self.take(SCALARS[kind])


def dequantize(codes, scales):
    """[N, K/4] or [N, K/8] words, [N, K/32] scales → [N, K]"""
    n, n_groups = scales.shape[-2:]
    raw = np.ascontiguousarray(codes).view(np.uint8)
    if codes.shape[-1] == 8 * n_groups:
        values = raw.view(np.int8).astype(np.float32)
    else:
        values = np.stack([raw & 15, raw >> 4], -1).astype(np.float32) - 8
    groups = values.reshape(*scales.shape, 32) * scales[..., None].astype(np.float32)
    return groups.reshape(*scales.shape[:-1], -1)


def read(path):
    """{key: value}, {name: f32 array}"""
    with open(path, "rb") as f:
        reader = _Reader(f.read())
    magic, version, n_tensors, n_keys = (reader.take(form) for form in ("<4s", "<I", "<Q", "<Q"))
    if magic != b"GGUF" or version != 3:
        raise ValueError(f"{path} is no flat file that `fovea convert` made")
    keys = {}
    for _ in range(n_keys):
        name = reader.string()
        keys[name] = reader.value(reader.take("<I"))
    infos = []
    for _ in range(n_tensors):
        name, n_dims = reader.string(), reader.take("<I")
        shape = [reader.take("<Q") for _ in range(n_dims)][::-1]  # the file names the last dimension first
        infos.append((name, shape, reader.take("<I"), reader.take("<Q")))
    alignment = keys.get("general.alignment", 32)
    begin = -(-reader.at // alignment) * alignment
    stored = {name: np.frombuffer(reader.data, TYPES[kind], int(np.prod(shape)), begin + offset).reshape(shape)
              for name, shape, kind, offset in infos}
    out = {}
    for name, array in stored.items():
        if name.endswith(":q"):
            out[name[:-2]] = dequantize(array, stored[name[:-2] + ":s"])
        elif not name.endswith(":s"):
            out[name] = array.astype(np.float32)
    return keys, out
