#include "tasks/image_session.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr const char *kPreprocess = "preprocess";

constexpr uint32_t kMostSide = 65535;
constexpr uint64_t kMostPixels = 100'000'000;

void check(const PixelView &p) {
  const uint64_t row = uint64_t(p.width) * p.channels;
  if (p.channels != 1 && p.channels != 3 && p.channels != 4)
    fail(ErrorCode::InvalidArgument, "the picture has ", p.channels, " channels, expected 1, 3 or 4");
  if (p.width == 0 || p.height == 0 || p.width > kMostSide || p.height > kMostSide ||
      uint64_t(p.width) * p.height > kMostPixels)
    fail(ErrorCode::InvalidArgument, "the picture is ", p.width, " x ", p.height, ", expected sides of 1 to ",
         kMostSide, " and at most ", kMostPixels, " pixels");
  if (!p.data || (p.row_bytes != 0 && p.row_bytes < row))
    fail(ErrorCode::InvalidArgument, "the picture has ", p.data ? "rows shorter than its pixels" : "no data");
}

SessionOptions options(bool timestamps) {
  SessionOptions out;
  out.bindings = {{"B", 1}};
  out.timestamps = timestamps;
  return out;
}

// A pixel a word: red, green, blue from the lowest byte up.
HostTensor words_of(const PixelView &pixels) {
  HostTensor image({{pixels.height, pixels.width}, Encoding::I32});
  for (uint32_t y = 0; y < pixels.height; ++y) {
    const uint8_t *p = pixels.row(y);
    int32_t *to = &image.i[size_t(y) * pixels.width];
    for (uint32_t x = 0; x < pixels.width; ++x, p += pixels.channels) {
      const uint32_t r = p[0], g = pixels.channels >= 3 ? p[1] : r, b = pixels.channels >= 3 ? p[2] : r;
      to[x] = int32_t(r | g << 8 | b << 16 | 0xFF000000u);
    }
  }
  return image;
}

} // namespace

bool ImageSession::accepts(const Model &model, const char *task) {
  const auto all = model.file().find_strings("fovea.tasks").value_or(std::vector<std::string_view>());
  return model.file().find_string("fovea.task") == task ||
         std::find(all.begin(), all.end(), task) != all.end();
}

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
  check(pixels);
  RunRequest request;
  request.inputs["image"] = words_of(pixels);
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
  return found->second;
}

} // namespace fovea
