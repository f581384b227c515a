// The Conformer that samples/training trains, with random weights (make_conformer.py), against torch.
#include "models/golden.h"

#include "tasks/ctc_spec.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("the conformer: logits of sounds of any loudness") {
  check_golden_folder(FOVEA_SOURCE_DIR "/tests/models/conformer");
}

TEST_CASE("the conformer: windows and words") {
  const auto model = converted(FOVEA_SOURCE_DIR "/tests/models/conformer", Encoding::F32);
  const CtcSpec spec = CtcSpec::read(model->file());
  CHECK(spec.sample_rate_hz == 16000);
  CHECK(spec.hop_samples == 640);
  CHECK(spec.context_samples == 400 + 2 * 160 + 2 * 320);
  CHECK(spec.window_samples == 20 * 16000);
  CHECK(spec.overlap_samples == 3 * 16000);
  CHECK(spec.blank == 0);
  CHECK(spec.delimiter == 1);
  CHECK(spec.tokens.at(31) == "the");
  check_ctc_graph(*model, spec);
}
