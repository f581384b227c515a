// What classifiers of images share: the pooled map's linear layer, and what the task needs to know. Pure.
#pragma once

#include "converter/json.h"
#include "converter/model_plan.h"
#include "graph/graph.h"

namespace fovea {

/// Sets general.name, task, graphs to run; with `n_classes` > 0, labels and the kind of scores.
void add_classifier_metadata(ModelPlan &plan, const Source &source, const Config &config, uint32_t n_classes);
/// Rows of the source's tensor `name`, which must be a matrix of rows of `width`; 0 when there is none.
uint32_t classes_of(const Source &source, const std::string &name, uint64_t width);
/// Mean over a map's positions, then head.w and head.b: the output `logits` [B, N], or without classes
/// `pooled`.
void add_classifier_head(Graph &g, Value map, uint32_t n_classes);
/// head.w and head.b from from.weight and from.bias.
void add_classifier_tensors(ModelPlan &plan, const std::string &from, uint32_t n_classes, uint64_t width);

} // namespace fovea
