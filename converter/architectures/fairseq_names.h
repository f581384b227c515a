// What models that descend from fairseq (Ott et al., 2019) share: the configuration's keys and the tensors'
// names. Errors: InvalidFile, Unsupported.
#pragma once

#include "converter/architectures/encoder_decoder.h"

namespace fovea {

struct FairseqModel : EncoderDecoder {
  std::string base; // prefix of the tensors: "model." or nothing
};

/// Everything but positions and the norms of embedding and stacks.
FairseqModel read_fairseq_model(const Source &source, const Config &config, Encoding encoding);

} // namespace fovea
