// Embeddings of the positions of a map, for attention over it. Without tables, waves of both coordinates
// (Carion et al., "End-to-End Object Detection with Transformers", 2020; Parmar et al., "Image Transformer",
// 2018):
//   y[h, w, f] = sin or cos (f even or odd) of (h + 1) / H * scale / temperature^(2 floor(f / 2) / F),
//   y[h, w, F + f] the same of (w + 1) / W.
// With tables, y[h, w] = (columns[w], rows[h]).
#pragma once

#include "graph/op.h"

namespace fovea {

struct MapPositions {
  static constexpr const char *kName = "map_positions";
  Value x;               // [B, H, W, C]: only its size is used
  Value columns;         // [.., F] f32, or none
  Value rows;            // [.., F] f32, or none
  uint32_t features = 0; // F
  float temperature = 10000;
  float scale = 0; // the last position's angle in the shortest wave; 0: as many as there are positions

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.optional_operand("columns", columns);
    v.optional_operand("rows", rows);
    v.field("features", features, std::nullopt);
    v.field("temperature", temperature, 10000.0f);
    v.field("scale", scale, 0.0f);
  }
  TensorType infer(const Types &t) const; // [H, W, 2 F]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
