#include "tasks/image_session.h"

#include "tasks/canary.h"
#include "tasks/file_tasks.h"
#include "tasks/image_encoder.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr const char *kPreprocess = "preprocess";

SessionOptions options(bool timestamps) {
  SessionOptions out;
  out.bindings = {{"B", 1}};
  out.timestamps = timestamps;
  return out;
}

} // namespace

bool ImageSession::accepts(const Model &model, const char *task) { return has_task(model, task); }

void ImageSession::require_task(const Model &model, const char *task) {
  if (!accepts(model, task))
    fail(ErrorCode::Unsupported, model.path(), ": its task is '",
         model.file().find_string("fovea.task").value_or(""), "', expected '", task, "'");
  const auto &graphs = model.graphs();
  if (std::none_of(graphs.begin(), graphs.end(), [](const Graph &g) { return g.name() == kPreprocess; }))
    fail(ErrorCode::Unsupported, model.path(), ": has no graph '", kPreprocess,
         "' that makes a picture the model's input; convert the model again");
}

ImageSession::ImageSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                           std::shared_ptr<const DeviceWeights> weights, const char *task, bool timestamps)
    : session_(std::move(device), (require_task(*model, task), model), std::move(weights),
               options(timestamps)) {
  const auto names = model->file().find_strings(concat("fovea.", task, ".labels"));
  if (names) labels_.assign(names->begin(), names->end());
}

NamedTensors ImageSession::run(const PixelView &pixels, const std::atomic<bool> *cancel) {
  RunRequest request;
  request.inputs["image"] = image_words(pixels);
  request.control.cancel = cancel;
  return run_model(session_, request);
}

const HostTensor &ImageSession::output(const Model &model, const NamedTensors &outputs,
                                       const std::string &name, int rank) {
  const auto found = outputs.find(name);
  const bool fits = found != outputs.end() && found->second.type.encoding == Encoding::F32 &&
                    found->second.type.shape.rank() == rank && found->second.type.shape[0] == 1;
  if (!fits)
    fail(ErrorCode::InvalidFile, model.path(), ": '", name, "' is ",
         found == outputs.end() ? "missing" : to_string(found->second.type), ", expected f32 of rank ", rank,
         " and a batch of one");
  check_finite(model.path(), "scores or boxes with ", found->second.f);
  return found->second;
}

} // namespace fovea
