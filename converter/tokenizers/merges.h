// Merges of a vocabulary that has only scores. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace fovea {

/// Every pair of tokens that make a token, the token of the best score first, as the reference converter
/// orders them: then by the longer left half, the longer right half, the vocabulary.
std::vector<std::string> merges_from_scores(std::span<const std::string> tokens,
                                            std::span<const float> scores);

} // namespace fovea
