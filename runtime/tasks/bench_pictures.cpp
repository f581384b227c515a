// Pictures that become classes, vectors, boxes or maps: preparing one, and the graphs after that.
#include "tasks/bench_pictures.h"

#include "tasks/classify_image.h"
#include "tasks/detect.h"
#include "tasks/embed_image.h"
#include "tasks/sampling.h"
#include "tasks/segment.h"

namespace fovea {
namespace {

constexpr const char *kPreprocess = "preprocess", *kPixels = "pixels";

bool encodes(const Model &model) { return embeds_images(model) || ImageClassifier::accepts(model); }

const char *session_task(const Model &model) {
  for (const char *task : {Detector::kTask, Segmenter::kTask})
    if (ImageSession::accepts(model, task)) return task;
  return nullptr;
}

bool accepts(const Model &model) { return encodes(model) || session_task(model); }

/// Graphs that run one after the other.
void run_session(BenchJob &job, const char *task, const Image &picture) {
  ImageSession images(job.device, job.model, job.weights, task, job.options.timestamps);
  job.loaded();
  images.run(picture.view(), job.options.cancel);
  job.first_result();
  RunRequest request;
  request.inputs["image"] = image_words(picture.view());
  time_graphs(job, images.session(), std::move(request));
  job.used(images.memory());
}

void run_encoder(BenchJob &job, const Image &picture) {
  ImageEncoder images = image_encoder(job.device, job.model, job.weights, job.options.timestamps);
  job.loaded();
  images.encode(std::vector{picture.view()}, job.options.cancel);
  job.first_result();
  RunRequest prepare;
  prepare.graph = kPreprocess;
  prepare.inputs["image"] = image_words(picture.view());
  NamedTensors prepared = time_graphs(job, images.session(), std::move(prepare));
  RunRequest forward;
  forward.graph = images.graph();
  forward.inputs[kPixels] = std::move(prepared.at(kPixels));
  time_graphs(job, images.session(), std::move(forward));
  job.used(images.memory());
}

void run(BenchJob &job) {
  const Image picture = bench_picture(job.options.picture_width, job.options.picture_height);
  if (const char *task = session_task(*job.model))
    run_session(job, task, picture);
  else
    run_encoder(job, picture);
}

} // namespace

Image bench_picture(uint32_t width, uint32_t height) {
  Image image{width, height, {}};
  image.rgb.reserve(size_t(3) * width * height);
  Random random(1);
  for (uint32_t y = 0; y < height; ++y)
    for (uint32_t x = 0; x < width; ++x)
      for (uint32_t c = 0; c < 3; ++c)
        image.rgb.push_back(uint8_t(uint32_t((x * (c + 1) / 3 + y) % 224) + uint32_t(32 * random.uniform())));
  return image;
}

NamedTensors time_graphs(BenchJob &job, Session &session, RunRequest request) {
  StageTimer timer(session, job.options, job.report);
  request.control.cancel = job.options.cancel;
  request.run = [&](const std::string &graph, Program &program) {
    const std::string name = graph == kPreprocess ? concat(graph, " ", job.options.picture_width, " x ",
                                                           job.options.picture_height)
                                                  : graph;
    timer.time(name, {1, "images"}, [&]() -> Program & { return program; });
  };
  return run_model(session, request);
}

const BenchStrategy kBenchPictures{accepts, run};

} // namespace fovea
