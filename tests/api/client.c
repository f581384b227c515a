/* A C99 program that uses the interface as a stranger would: client MODEL AUDIO. Prints what fails; 0 when
 * nothing does. */
#include <fovea/audio.h>
#include <fovea/convert.h>
#include <fovea/measure.h>
#include <fovea/stream.h>

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      printf("client.c:%d: %s (last error: %s)\n", __LINE__, #condition, fovea_last_error());                \
      ++failures;                                                                                            \
    }                                                                                                        \
  } while (0)

static int one_line(const char *text) { return text[0] != '\0' && strchr(text, '\n') == NULL; }

/* ---- Errors ---- */

static void *fail_elsewhere(void *unused) {
  fovea_model *model = NULL;
  (void)unused;
  CHECK(strcmp(fovea_last_error(), "") == 0);
  CHECK(fovea_model_open("/nonexistent/elsewhere", NULL, &model) == FOVEA_NOT_FOUND);
  CHECK(strstr(fovea_last_error(), "/nonexistent/elsewhere") != NULL);
  return NULL;
}

static void test_errors(void) {
  fovea_model *model = (fovea_model *)1;
  pthread_t thread;
  CHECK(strcmp(fovea_version(), "0.1.0") == 0);
  CHECK(strcmp(fovea_status_name(FOVEA_OK), "ok") == 0);
  CHECK(strcmp(fovea_status_name(FOVEA_INVALID_FILE), "invalid file") == 0);
  CHECK(strcmp(fovea_status_name((fovea_status)77), "unknown status") == 0);

  CHECK(fovea_model_open("/nonexistent/here", NULL, &model) == FOVEA_NOT_FOUND);
  CHECK(model == NULL);
  CHECK(one_line(fovea_last_error()) && strstr(fovea_last_error(), "/nonexistent/here") != NULL);
  CHECK(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0);
  pthread_join(thread, NULL);
  CHECK(strstr(fovea_last_error(), "/nonexistent/here") != NULL); /* another thread's error is not ours */

  CHECK(fovea_model_open(NULL, NULL, &model) == FOVEA_INVALID_ARGUMENT);
  CHECK(strstr(fovea_last_error(), "path") != NULL);
  CHECK(fovea_model_open("x", NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_device_open(NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_transcribe(NULL, NULL, 0, NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_create(NULL, NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_session_run(NULL, NULL, NULL, 0, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_bench(NULL, NULL, NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_convert(NULL, NULL, NULL, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_audio_read(NULL, 16000, 0, NULL) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_last_error()[0] != '\0');

  /* Nothing of NULL, and releasing nothing. */
  CHECK(fovea_model_tensor_count(NULL) == 0 && fovea_model_tensor(NULL, 0) == NULL);
  CHECK(fovea_transcript_segment(NULL, 0) == NULL && fovea_transcript_text(NULL)[0] == '\0');
  fovea_device_release(NULL);
  fovea_model_release(NULL);
  fovea_session_release(NULL);
  fovea_results_release(NULL);
  fovea_transcriber_release(NULL);
  fovea_transcript_release(NULL);
  fovea_stream_release(NULL);
  fovea_device_list_release(NULL);
  fovea_cancel_release(NULL);
  fovea_audio_release(NULL);
  fovea_audio_reader_release(NULL);
  fovea_convert_report_release(NULL);
  fovea_free(NULL);
}

/* ---- Structs that grow ---- */

typedef struct newer_options {
  fovea_device_options known;
  uint64_t added;
} newer_options;

static void test_struct_sizes(void) {
  newer_options newer;
  fovea_transcribe_options whole, part;
  fovea_device_options wrong;
  fovea_device *device = NULL;
  memset(&newer, 0xff, sizeof newer);
  fovea_device_options_init(&newer.known, sizeof newer);
  CHECK(newer.known.struct_size == sizeof newer && newer.added == 0);
  CHECK(newer.known.selector == NULL);
  CHECK(fovea_device_open(&newer.known, &device) == FOVEA_OK);
  fovea_device_release(device);
  newer.added = 1;
  CHECK(fovea_device_open(&newer.known, &device) == FOVEA_UNSUPPORTED && device == NULL);

  /* A program that knows only the first fields. */
  memset(&part, 0x55, sizeof part);
  fovea_transcribe_options_init(&whole, sizeof whole);
  fovea_transcribe_options_init(&part, offsetof(fovea_transcribe_options, fallback));
  CHECK(part.timestamps == 1 && whole.best_of == 5 && whole.fallback == 1);
  CHECK(part.best_of == 0x55555555u); /* not ours to write */

  memset(&wrong, 0, sizeof wrong);
  CHECK(fovea_device_open(&wrong, &device) == FOVEA_INVALID_ARGUMENT);
  CHECK(strstr(fovea_last_error(), "struct_size") != NULL);
}

/* ---- Devices and logging ---- */

static int n_logged;
static void count_log(void *user, fovea_log_level level, const char *message) {
  CHECK(user == &n_logged && level <= FOVEA_LOG_DEBUG && one_line(message));
  ++n_logged;
}

static fovea_device *test_devices(void) {
  fovea_device_list *list = NULL;
  fovea_device *device = NULL;
  fovea_device_options options;
  size_t i;
  int any = 0;
  CHECK(fovea_list_devices(&list) == FOVEA_OK);
  for (i = 0; i < fovea_device_list_count(list); ++i) {
    const fovea_device_info *info = fovea_device_list_get(list, i);
    CHECK(info->index == i && info->name[0] != '\0' && info->type_name[0] != '\0');
    CHECK((info->rejected[0] == '\0') == (info->usable != 0));
    any |= info->usable;
  }
  CHECK(any);
  CHECK(fovea_device_list_get(list, i) == NULL);
  fovea_device_list_release(list);

  fovea_device_options_init(&options, sizeof options);
  options.selector = "no such device";
  CHECK(fovea_device_open(&options, &device) == FOVEA_NO_DEVICE && device == NULL);
  CHECK(strstr(fovea_last_error(), "no such device") != NULL);
  options.selector = NULL;
  options.validation = (fovea_validation)9;
  CHECK(fovea_device_open(&options, &device) == FOVEA_INVALID_ARGUMENT);

  fovea_device_options_init(&options, sizeof options);
  options.pretend = "malli";
  CHECK(fovea_device_open(&options, &device) == FOVEA_NOT_FOUND && device == NULL);
  CHECK(fovea_profile_count() > 10 && fovea_profile_name(fovea_profile_count()) == NULL);
  CHECK(fovea_profile_title(fovea_profile_count()) == NULL);
  for (i = 0; i < fovea_profile_count(); ++i) {
    const fovea_device_info *info;
    CHECK(one_line(fovea_profile_title(i)));
    options.pretend = fovea_profile_name(i);
    CHECK(fovea_device_open(&options, &device) == FOVEA_OK);
    info = fovea_device_get_info(device);
    CHECK(strcmp(info->profile, options.pretend) == 0 && strstr(info->name, options.pretend) != NULL);
    if (strcmp(options.pretend, "android_2021") == 0)
      CHECK(info->max_storage_buffers == 4 && info->subgroup_size == 0 && !info->host_pointer_import);
    fovea_device_release(device);
  }

  fovea_set_log(count_log, &n_logged);
  fovea_set_log_level(FOVEA_LOG_DEBUG);
  CHECK(fovea_device_open(NULL, &device) == FOVEA_OK);
  fovea_set_log_level(FOVEA_LOG_WARNING);
  fovea_set_log(NULL, NULL);
  CHECK(n_logged > 0);
  CHECK(device != NULL && fovea_device_get_info(device)->usable);
  CHECK(fovea_device_get_info(device)->profile[0] == '\0' && fovea_device_get_info(device)->quirks[0] == '\0');
  CHECK(fovea_validation_error_count() == 0);
  return device;
}

/* ---- Models ---- */

static fovea_model *test_model(const char *path, fovea_device *device) {
  fovea_model *model = NULL;
  char *text = NULL;
  size_t i;
  int has_task = 0;
  const fovea_size sizes[] = {{"T", 4}, {"B", 1}};
  const fovea_size unknown = {"NOPE", 4};
  CHECK(fovea_model_open(path, NULL, &model) == FOVEA_OK);
  if (!model) return NULL;
  CHECK(strcmp(fovea_model_path(model), path) == 0 && fovea_model_file_bytes(model) > 0);
  CHECK(strcmp(fovea_model_task(model), "transcribe") == 0);
  CHECK(fovea_model_verify(model) == FOVEA_OK);

  for (i = 0; i < fovea_model_metadata_count(model); ++i)
    has_task |= strcmp(fovea_model_metadata(model, i)->key, "fovea.task") == 0;
  CHECK(has_task && fovea_model_metadata(model, i) == NULL);
  CHECK(fovea_model_metadata_text(model, "fovea.audio.sample_rate", 0, &text) == FOVEA_OK &&
        strcmp(text, "16000") == 0);
  fovea_free(text);
  CHECK(fovea_model_metadata_text(model, "fovea.run.graphs", 1, &text) == FOVEA_OK &&
        strcmp(text, "encode") == 0);
  fovea_free(text);
  CHECK(fovea_model_metadata_text(model, "fovea.run.graphs", 99, &text) == FOVEA_INVALID_ARGUMENT &&
        text == NULL);
  CHECK(fovea_model_metadata_text(model, "nope", 0, &text) == FOVEA_NOT_FOUND);

  CHECK(fovea_model_tensor_count(model) > 0);
  for (i = 0; i < fovea_model_tensor_count(model); ++i) {
    const fovea_tensor_info *t = fovea_model_tensor(model, i);
    uint64_t elements = 1;
    uint32_t d;
    for (d = 0; d < t->rank; ++d) elements *= t->shape[d];
    if (strcmp(t->encoding, "f32") == 0) CHECK(t->bytes == elements * 4);
    if (strcmp(t->encoding, "f16") == 0) CHECK(t->bytes == elements * 2);
  }
  CHECK(fovea_model_tensor(model, i) == NULL);

  for (i = 0; i < fovea_model_graph_count(model); ++i)
    CHECK(strncmp(fovea_model_graph_text(model, fovea_model_graph_name(model, i)), "graph ", 6) == 0);
  CHECK(fovea_model_graph_text(model, "nope") == NULL);

  /* On this device, and on the least one that is supported. */
  CHECK(fovea_model_plan(model, device, "step", sizes, 2, &text) == FOVEA_OK &&
        strncmp(text, "plan step", 9) == 0);
  fovea_free(text);
  CHECK(fovea_model_plan(model, NULL, "encode", NULL, 0, &text) == FOVEA_OK &&
        strstr(text, "linear_base") != NULL);
  fovea_free(text);
  CHECK(fovea_model_plan(model, NULL, "nope", NULL, 0, &text) == FOVEA_NOT_FOUND && text == NULL);
  CHECK(fovea_model_plan(model, NULL, "step", &unknown, 1, &text) == FOVEA_NOT_FOUND);
  return model;
}

/* ---- Graphs ---- */

static void test_run(fovea_device *device, fovea_model *model, const fovea_audio *audio) {
  fovea_session_options made;
  fovea_session *session = NULL;
  fovea_run_options options;
  fovea_results *results = NULL;
  fovea_tensor input;
  fovea_memory memory;
  fovea_cancel *cancel = NULL;
  char *profile = NULL;
  size_t i, n = 0;

  memset(&input, 0, sizeof input);
  input.name = "samples";
  input.element = FOVEA_F32;
  input.rank = 1;
  input.shape[0] = fovea_audio_sample_count(audio);
  input.data = fovea_audio_samples(audio);

  fovea_session_options_init(&made, sizeof made);
  made.profile = 1;
  CHECK(fovea_session_create(device, model, &made, &session) == FOVEA_OK);
  fovea_run_options_init(&options, sizeof options);
  options.graph = "features";
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_OK);
  CHECK(fovea_results_count(results) == 1 && fovea_results_get(results, 1) == NULL);
  if (results) {
    const fovea_tensor *features = fovea_results_get(results, 0);
    const float *values = features->data;
    CHECK(strcmp(features->name, "features") == 0 && features->element == FOVEA_F32);
    CHECK(features->rank == 2 && features->shape[0] == 80 && features->shape[1] == 3000);
    for (i = 0; i < 80 * 3000; ++i) n += values[i] >= -2.0f && values[i] <= 4.0f;
    CHECK(n == 80 * 3000);
  }
  fovea_results_release(results);
  CHECK(fovea_session_profile(session, &profile) == FOVEA_OK && strstr(profile, "\"kernel\":") != NULL);
  fovea_free(profile);
  fovea_memory_init(&memory, sizeof memory);
  CHECK(fovea_session_memory(session, &memory) == FOVEA_OK && memory.scratch_bytes > 0 &&
        memory.io_bytes > 0);

  /* What is wrong is named. */
  CHECK(fovea_session_run(session, &options, NULL, 0, &results) == FOVEA_INVALID_ARGUMENT && results == NULL);
  CHECK(strstr(fovea_last_error(), "samples") != NULL && one_line(fovea_last_error()));
  input.name = "nope";
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_INVALID_ARGUMENT);
  CHECK(strstr(fovea_last_error(), "nope") != NULL);
  input.name = "samples";
  input.rank = 9;
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_INVALID_ARGUMENT);
  input.rank = 2;
  input.shape[0] = input.shape[1] = (uint64_t)1 << 40;
  CHECK(fovea_session_run(session, &options, &input, 1, &results) != FOVEA_OK && results == NULL);
  input.rank = 1;
  input.shape[0] = fovea_audio_sample_count(audio);
  options.graph = "nope";
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_NOT_FOUND);
  options.graph = "features";

  CHECK(fovea_cancel_create(&cancel) == FOVEA_OK);
  options.cancel = cancel;
  fovea_cancel_request(cancel);
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_CANCELLED && results == NULL);
  fovea_cancel_reset(cancel);
  CHECK(fovea_session_run(session, &options, &input, 1, &results) == FOVEA_OK);
  fovea_results_release(results);
  fovea_cancel_release(cancel);
  fovea_session_release(session);
}

/* ---- Speech ---- */

typedef struct heard {
  int n_segments, n_progress, stop_after;
  double last_end_s, done_s;
  char text[4096];
  char language[16];
  fovea_cancel *cancel; /* requested by another thread once the first progress has come */
  pthread_mutex_t mutex;
  pthread_cond_t begun;
  int has_begun;
} heard;

static int on_segment(void *user, const fovea_segment *segment) {
  heard *h = user;
  CHECK(segment->index == (uint32_t)h->n_segments);
  CHECK(segment->start_s >= h->last_end_s - 1e-6 && segment->end_s >= segment->start_s);
  CHECK(segment->n_tokens > 0 && segment->tokens != NULL && segment->struct_size == sizeof *segment);
  h->last_end_s = segment->end_s;
  strncat(h->text, segment->text, sizeof h->text - strlen(h->text) - 1);
  ++h->n_segments;
  return h->stop_after && h->n_segments >= h->stop_after;
}
static int on_progress(void *user, double done, double total) {
  heard *h = user;
  CHECK(done >= h->done_s && done <= total + 1e-6);
  h->done_s = done;
  ++h->n_progress;
  pthread_mutex_lock(&h->mutex);
  h->has_begun = 1;
  pthread_cond_signal(&h->begun);
  pthread_mutex_unlock(&h->mutex);
  return 0;
}
static void on_language(void *user, const char *code, float probability) {
  heard *h = user;
  CHECK(probability > 0 && probability <= 1);
  strncat(h->language, code, sizeof h->language - 1);
}
static void *cancel_once_begun(void *user) {
  heard *h = user;
  pthread_mutex_lock(&h->mutex);
  while (!h->has_begun) pthread_cond_wait(&h->begun, &h->mutex);
  pthread_mutex_unlock(&h->mutex);
  fovea_cancel_request(h->cancel);
  return NULL;
}

static void begin(heard *h) {
  memset(h, 0, sizeof *h);
  pthread_mutex_init(&h->mutex, NULL);
  pthread_cond_init(&h->begun, NULL);
}

static void test_transcribe(fovea_device *device, fovea_model *model, const fovea_audio *audio,
                            const char *path) {
  fovea_transcriber_options made;
  fovea_transcriber *transcriber = NULL;
  fovea_transcribe_options options;
  fovea_transcript *transcript = NULL;
  fovea_audio_reader *reader = NULL;
  fovea_audio_source source;
  fovea_memory memory;
  heard h;
  pthread_t thread;
  float nan_sample[16000] = {0};
  char first_text[4096];
  char *cue = NULL;
  uint32_t n_cues = 0;
  const float *samples = fovea_audio_samples(audio);
  const size_t n_samples = fovea_audio_sample_count(audio);

  fovea_transcriber_options_init(&made, sizeof made);
  made.beam = 99;
  CHECK(fovea_transcriber_create(device, model, &made, &transcriber) != FOVEA_OK && transcriber == NULL);
  CHECK(fovea_transcriber_create(device, model, NULL, &transcriber) == FOVEA_OK);
  if (!transcriber) return;
  CHECK(fovea_transcriber_sample_rate_hz(transcriber) == 16000);
  CHECK(fovea_transcriber_language_count(transcriber) == 1);
  CHECK(strcmp(fovea_transcriber_language(transcriber, 0), "en") == 0);

  /* Segments as they come are what the transcript holds. */
  begin(&h);
  fovea_transcribe_options_init(&options, sizeof options);
  options.on_segment = on_segment;
  options.on_progress = on_progress;
  options.on_language = on_language;
  options.user = &h;
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_OK);
  CHECK(h.n_segments > 0 && h.n_progress > 0 && strcmp(h.language, "en") == 0);
  CHECK((int)fovea_transcript_segment_count(transcript) == h.n_segments);
  CHECK(fovea_transcript_text(transcript)[0] != '\0');
  CHECK(strstr(h.text, fovea_transcript_text(transcript)) != NULL);
  CHECK(strcmp(fovea_transcript_language(transcript), "en") == 0);
  CHECK(fovea_transcript_segment(transcript, (size_t)h.n_segments) == NULL);
  if (transcript) {
    const fovea_transcribe_timings *t = fovea_transcript_timings(transcript);
    CHECK(t->audio_s > 0 && t->total_s > 0 && t->n_windows >= 1 && t->n_tokens > 0 &&
          t->encode_s < t->total_s);
    CHECK(fovea_subtitle_cue(FOVEA_SUBTITLE_SRT, &n_cues, 0, 1.5, fovea_transcript_text(transcript), &cue) ==
          FOVEA_OK);
    CHECK(n_cues == 1 && strncmp(cue, "1\n00:00:00,000 --> 00:00:01,500\n", 32) == 0);
    fovea_free(cue);
  }
  snprintf(first_text, sizeof first_text, "%s", fovea_transcript_text(transcript));
  fovea_transcript_release(transcript);

  /* The same, read from the file piece by piece. */
  CHECK(fovea_audio_reader_open(path, 16000, &reader) == FOVEA_OK);
  source = fovea_audio_reader_source(reader);
  CHECK(fovea_transcribe_source(transcriber, &source, NULL, &transcript) == FOVEA_OK);
  CHECK(strcmp(first_text, fovea_transcript_text(transcript)) == 0);
  fovea_transcript_release(transcript);
  fovea_audio_reader_release(reader);

  /* A callback stops it. */
  begin(&h);
  h.stop_after = 1;
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_CANCELLED);
  CHECK(transcript == NULL && h.n_segments == 1 && one_line(fovea_last_error()));

  /* Another thread stops it. */
  begin(&h);
  CHECK(fovea_cancel_create(&h.cancel) == FOVEA_OK);
  options.cancel = h.cancel;
  CHECK(pthread_create(&thread, NULL, cancel_once_begun, &h) == 0);
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_CANCELLED);
  pthread_join(thread, NULL);
  CHECK(transcript == NULL && fovea_cancel_requested(h.cancel));
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) ==
        FOVEA_CANCELLED); /* at once */
  options.cancel = NULL;
  fovea_cancel_release(h.cancel);

  /* Wrong arguments, named; the transcriber is as good as before. */
  fovea_transcribe_options_init(&options, sizeof options);
  CHECK(fovea_transcribe(transcriber, samples, 0, &options, &transcript) == FOVEA_INVALID_ARGUMENT);
  nan_sample[100] = NAN;
  CHECK(fovea_transcribe(transcriber, nan_sample, 16000, &options, &transcript) == FOVEA_INVALID_ARGUMENT);
  options.language = "xx";
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_INVALID_ARGUMENT);
  CHECK(strstr(fovea_last_error(), "xx") != NULL);
  options.language = NULL;
  options.temperature = -1;
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_INVALID_ARGUMENT);
  options.temperature = 0;
  CHECK(fovea_transcribe(transcriber, samples, n_samples, &options, &transcript) == FOVEA_OK);
  CHECK(strcmp(first_text, fovea_transcript_text(transcript)) == 0);
  fovea_transcript_release(transcript);

  fovea_memory_init(&memory, sizeof memory);
  CHECK(fovea_transcriber_memory(transcriber, &memory) == FOVEA_OK && memory.state_bytes > 0);
  fovea_transcriber_release(transcriber);
}

static void test_audio(const char *path) {
  fovea_audio *audio = NULL;
  fovea_audio_reader *reader = NULL;
  float block[1000];
  size_t n = 0, total = 0;
  CHECK(fovea_audio_read("/nonexistent.wav", 16000, 0, &audio) == FOVEA_NOT_FOUND && audio == NULL);
  CHECK(strstr(fovea_last_error(), "/nonexistent.wav") != NULL);
  CHECK(fovea_audio_read_memory("not audio", 9, "nine bytes", 16000, 0, &audio) == FOVEA_INVALID_FILE);
  CHECK(strstr(fovea_last_error(), "nine bytes") != NULL);
  CHECK(fovea_audio_read(path, 16000, 0.5, &audio) != FOVEA_OK); /* longer than half a second */
  CHECK(fovea_audio_read(path, 16000, 0, &audio) == FOVEA_OK);
  CHECK(fovea_audio_reader_open(path, 16000, &reader) == FOVEA_OK);
  while (fovea_audio_reader_read(reader, block, 1000, &n) == FOVEA_OK && n > 0) total += n;
  CHECK(total == fovea_audio_sample_count(audio));
  CHECK(fovea_audio_reader_rewind(reader) == FOVEA_OK);
  CHECK(fovea_audio_reader_read(reader, block, 1000, &n) == FOVEA_OK && n == 1000);
  CHECK(memcmp(block, fovea_audio_samples(audio), sizeof block) == 0);
  fovea_audio_reader_release(reader);
  fovea_audio_release(audio);
}

int main(int argc, char **argv) {
  fovea_device *device;
  fovea_model *model;
  fovea_audio *audio = NULL;
  test_errors();
  if (argc != 3) return failures != 0; /* what needs neither a device nor data */
  test_struct_sizes();
  test_audio(argv[2]);
  device = test_devices();
  model = test_model(argv[1], device);
  CHECK(fovea_audio_read(argv[2], 16000, 0, &audio) == FOVEA_OK);
  if (device && model && audio) {
    test_run(device, model, audio);
    test_transcribe(device, model, audio, argv[2]);
  }
  fovea_audio_release(audio);
  fovea_model_release(model);
  fovea_device_release(device);
  printf("%d failures\n", failures);
  return failures != 0;
}
