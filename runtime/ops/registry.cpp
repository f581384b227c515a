#include "ops/registry.h"

#include "ops/attention.h"
#include "ops/conv1d.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"

namespace fovea {

OpTable op_table() {
  static constexpr OpRow rows[] = {
      op_row<Attention>(),
      op_row<Conv1d>(),
      op_row<LayerNorm>(),
      op_row<Linear>(),
  };
  return rows;
}

} // namespace fovea
