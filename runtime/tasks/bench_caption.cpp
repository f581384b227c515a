// Texts about pictures: preparing and reading one, and a step of the model's own search.
#include "tasks/bench_decoder.h"
#include "tasks/bench_pictures.h"
#include "tasks/caption.h"
#include "tasks/file_tasks.h"

namespace fovea {
namespace {

bool accepts(const Model &model) { return has_task(model, Captioner::kTask); }

void run(BenchJob &job) {
  Captioner captioner(job.device, job.model, job.weights, job.options.timestamps);
  job.loaded();
  const GenerationSettings settings = captioner.settings_of({});
  const Image picture = bench_picture(job.options.picture_width, job.options.picture_height);
  const HostTensor pixels = captioner.images().prepare(picture.view(), job.options.cancel);
  DecoderSession &session = captioner.session(settings.n_beams, captioner.first_cache(settings));
  session.set_cancel(job.options.cancel);
  session.encode_pixels(pixels.f);
  run_first_step(job, session, settings);

  RunRequest prepare;
  prepare.graph = "preprocess";
  prepare.inputs["image"] = image_words(picture.view());
  time_graphs(job, captioner.images().session(), std::move(prepare));
  StageTimer(session.session(), job.options, job.report).time("encode", {1, "images"}, [&]() -> Program & {
    return session.prepare_encode_pixels(pixels.f);
  });
  time_steps(job, session, settings);
  job.used(captioner.memory());
}

} // namespace

const BenchStrategy kBenchCaption{accepts, run};

} // namespace fovea
