// PyTorch checkpoints, as torch.save writes them: a zip with a pickle and one entry a storage, or (before
// version 1.6) five pickles and the storages behind them. The pickle is interpreted, never run (pickle.h).
// Pure functions; errors name the file and the tensor.
#pragma once

#include "converter/sources/source.h"

namespace fovea {

/// Whether a file that starts with these bytes may be one.
bool is_pytorch(std::string_view head);
/// Adds the file's tensors to `source`; tensors may share storages, and be views that are not contiguous.
/// Errors: InvalidFile, Unsupported.
void add_pytorch(Source &source, InputFile file);

} // namespace fovea
