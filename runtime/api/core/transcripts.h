// What transcribing a recording and a stream have in common behind the C interface: the handle, options,
// segments. Pure functions.
#pragma once

#include "api/handles.h"

#include "tasks/transcribe.h"

#include <fovea/transcribe.h>

/// Shared with its streams.
struct fovea_transcriber {
  std::shared_ptr<fovea::vk::Device> device;
  bool profile;
  std::shared_ptr<fovea::Transcriber> transcriber;
};

namespace fovea::api {

fovea_transcribe_options transcribe_defaults();
/// Error InvalidArgument for a temperature that is none.
TranscribeOptions to_options(const fovea_transcribe_options &o);

std::vector<fovea_word> words_of(const TranscriptSegment &segment);
/// A view of `segment` and of its words, which must outlive it.
fovea_segment view_of(const TranscriptSegment &segment, const std::vector<fovea_word> &words, size_t index);

} // namespace fovea::api
