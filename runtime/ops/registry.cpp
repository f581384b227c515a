#include "ops/registry.h"

#include "ops/layer_norm.h"

namespace fovea {

OpTable op_table() {
  static constexpr OpRow rows[] = {
      op_row<LayerNorm>(),
  };
  return rows;
}

} // namespace fovea
