// Transcription: how the words of a recording are come by, for one kind of model; what Transcriber is in
// front of. A kind is chosen by the file's metadata (kDecoderKey), never by the model's name:
// token_transcription.cpp decodes token after token, ctc_transcription.cpp reads words off frames.
//
// Owns its session. One thread. The makers throw as Transcriber's constructor does, transcribe() as
// Transcriber::transcribe().
#pragma once

#include "tasks/listener.h"

namespace fovea {

class Transcription {
public:
  virtual ~Transcription() = default;
  virtual Transcript transcribe(AudioSource &audio, const TranscribeOptions &options,
                                const TranscribeCallbacks &callbacks) = 0;
  /// For a stream. Throws InvalidArgument for options that the kind cannot have.
  virtual std::unique_ptr<Listener> listen(const TranscribeOptions &options) = 0;
  virtual uint32_t sample_rate_hz() const = 0;
  virtual bool multilingual() const = 0;
  virtual const std::vector<std::string> &languages() const = 0;
  virtual MemoryUse memory() const = 0;
  virtual std::vector<ProfileRow> profile() const = 0;
};

using MakeTranscription = std::unique_ptr<Transcription>(std::shared_ptr<vk::Device> device,
                                                         std::shared_ptr<const Model> model,
                                                         std::shared_ptr<const DeviceWeights> weights,
                                                         const TranscriberOptions &options);
MakeTranscription make_token_transcription, make_ctc_transcription;

/// The kinds there are. nullptr: left out of a library for certain models (FOVEA_KERNELS_FOR), which has an
/// object of its own in place of transcription_kinds.cpp.
struct TranscriptionKinds {
  MakeTranscription *tokens, *ctc;
};
TranscriptionKinds transcription_kinds();

inline void check_cancelled(const TranscribeOptions &options) {
  if (options.cancel && options.cancel->load()) fail(ErrorCode::Cancelled, "the transcription was cancelled");
}

} // namespace fovea
