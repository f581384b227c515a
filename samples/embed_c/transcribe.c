/* Transcribes a recording from C: transcribe MODEL AUDIO */
#include <fovea/audio.h>
#include <fovea/transcribe.h>

#include <stdio.h>

static int print_segment(void *user, const fovea_segment *segment) {
  (void)user;
  printf("%7.2f %7.2f %s\n", segment->start_s, segment->end_s, segment->text);
  return 0; /* go on */
}

int main(int argc, char **argv) {
  fovea_device *device = NULL;
  fovea_model *model = NULL;
  fovea_transcriber *transcriber = NULL;
  fovea_audio *audio = NULL;
  fovea_transcript *transcript = NULL;
  fovea_transcribe_options options;
  fovea_status status;
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL AUDIO\n", argv[0]);
    return 2;
  }
  fovea_transcribe_options_init(&options, sizeof options);
  options.on_segment = print_segment;

  status = fovea_device_open(NULL, &device);
  if (status == FOVEA_OK) status = fovea_model_open(argv[1], NULL, &model);
  if (status == FOVEA_OK) status = fovea_transcriber_create(device, model, NULL, &transcriber);
  if (status == FOVEA_OK)
    status = fovea_audio_read(argv[2], fovea_transcriber_sample_rate_hz(transcriber), 0, &audio);
  if (status == FOVEA_OK)
    status = fovea_transcribe(transcriber, fovea_audio_samples(audio), fovea_audio_sample_count(audio),
                              &options, &transcript);
  if (status != FOVEA_OK) fprintf(stderr, "error: %s\n", fovea_last_error());

  fovea_transcript_release(transcript);
  fovea_audio_release(audio);
  fovea_transcriber_release(transcriber);
  fovea_model_release(model);
  fovea_device_release(device);
  return status == FOVEA_OK ? 0 : 1;
}
