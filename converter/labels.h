// The names of a classifier's classes, as configurations give them. Pure.
#pragma once

#include "converter/json.h"

namespace fovea {

/// How many classes `config` says there are: of id2label, else num_labels, else 2.
uint32_t n_labels(const Config &config);
/// `n` names by class: of id2label or, turned around, label2id; "LABEL_3" where there is none. Errors:
/// InvalidFile (a class outside 0 … n-1).
std::vector<std::string> read_labels(const Config &config, uint32_t n);
/// What makes probabilities of logits: "softmax", "sigmoid", or "none" for regression; by problem_type, else
/// by the number of classes.
std::string read_scores(const Config &config, uint32_t n);

} // namespace fovea
