// Log-probabilities of the next token under rules: which ids are allowed at all, and whether a time must
// come. It keeps a row of V logits on the device, where a greedy decoder needs one id of it.
//
// Ids below time_begin are text, the others stand for times. rules[r] = (text_from, time_from, time_to,
// first): of row r, text ids from text_from on and time ids in [time_from, time_to) are allowed.
// suppress[id]: 0 allowed, 1 never, 2 not where `first` is set (the first sampled token of a window). When
// the times together are likelier than any single text id, text is ruled out too ("ApplyTimestampRules" in
// the reference code of Radford et al., 2022).
//
//   y[r, id] = logits[r, id] - log sum over allowed i of exp(logits[r, i]);  -3e38 for what is not allowed
#pragma once

#include "graph/op.h"

namespace fovea {

struct TokenRules {
  static constexpr const char *kName = "token_rules";
  Value logits;            // [.., V] f32, R rows
  Value suppress;          // [V] f32
  Value rules;             // [R, 4] i32
  uint32_t time_begin = 0; // V or more: there are no times

  void fields(FieldVisitor &v) {
    v.operand("logits", logits);
    v.operand("suppress", suppress);
    v.operand("rules", rules);
    v.field("time_begin", time_begin, std::nullopt);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
