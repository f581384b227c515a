// An object of its own, so that a library for certain models can have another.
#include "tasks/transcription.h"

namespace fovea {

TranscriptionKinds transcription_kinds() { return {make_token_transcription, make_ctc_transcription}; }

} // namespace fovea
