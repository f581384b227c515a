#include "tasks/transcribe.h"

#include "tasks/speech_spec.h"
#include "tasks/transcription.h"
#include "tasks/trimmed.h"

namespace fovea {

std::string Transcript::text() const {
  std::string all;
  for (const TranscriptSegment &s : segments) all += s.text;
  return std::string(trimmed(all));
}

Transcriber::Transcriber(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                         std::shared_ptr<const DeviceWeights> weights, const TranscriberOptions &options) {
  const auto decoder = model->file().find_string(kDecoderKey);
  if (decoder && *decoder != kCtcDecoder)
    fail(ErrorCode::Unsupported, model->path(), ": ", kDecoderKey, " is '", *decoder,
         "', which this version does not know; '", kCtcDecoder, "' or nothing expected");
  const auto make = decoder ? transcription_kinds().ctc : transcription_kinds().tokens;
  if (!make)
    fail(ErrorCode::Unsupported, model->path(), ": transcription ",
         decoder ? "with CTC" : "token after token",
         " is not in this library, which was built for certain models only; build it with this model among "
         "those of "
         "FOVEA_KERNELS_FOR, or without that option");
  transcription_ = make(std::move(device), std::move(model), std::move(weights), options);
}

Transcriber::~Transcriber() = default;
Transcriber::Transcriber(Transcriber &&) noexcept = default;
Transcriber &Transcriber::operator=(Transcriber &&) noexcept = default;

bool Transcriber::accepts(const Model &model) {
  return model.file().find_string(kTaskKey) == kTranscribeTask;
}

Transcript Transcriber::transcribe(AudioSource &audio, const TranscribeOptions &options,
                                   const TranscribeCallbacks &callbacks) {
  return transcription_->transcribe(audio, options, callbacks);
}

Transcript Transcriber::transcribe(std::span<const float> samples, const TranscribeOptions &options,
                                   const TranscribeCallbacks &callbacks) {
  const auto source = AudioSource::of(samples);
  return transcribe(*source, options, callbacks);
}

std::unique_ptr<Listener> Transcriber::listen(const TranscribeOptions &options) {
  return transcription_->listen(options);
}

uint32_t Transcriber::sample_rate_hz() const { return transcription_->sample_rate_hz(); }
bool Transcriber::multilingual() const { return transcription_->multilingual(); }
const std::vector<std::string> &Transcriber::languages() const { return transcription_->languages(); }
MemoryUse Transcriber::memory() const { return transcription_->memory(); }
std::vector<ProfileRow> Transcriber::profile() const { return transcription_->profile(); }

} // namespace fovea
