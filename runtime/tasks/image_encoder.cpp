#include "tasks/image_encoder.h"

#include "tasks/canary.h"

#include <algorithm>
#include <map>

namespace fovea {
namespace {

constexpr const char *kPreprocess = "preprocess", *kPixels = "pixels";
constexpr size_t kMaxBatch = 8, kMaxPictures = 64; // side by side; prepared before the first batch runs

SessionOptions session_options(const Model &model, bool timestamps) {
  SessionOptions options;
  options.bindings = session_sizes(model);
  options.timestamps = timestamps;
  return options;
}

} // namespace

HostTensor image_words(const PixelView &pixels) {
  check_pixels(pixels, "the picture");
  if (uint64_t(pixels.width) * pixels.height > kMaxImagePixels)
    fail(ErrorCode::InvalidArgument, "the picture has ", pixels.width, " x ", pixels.height,
         " pixels, expected at most ", kMaxImagePixels);
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

ImageEncoder::ImageEncoder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                           std::shared_ptr<const DeviceWeights> weights, std::string graph,
                           std::string output, bool timestamps)
    : graph_(std::move(graph)), output_(std::move(output)),
      session_(std::move(device), model, std::move(weights), session_options(*model, timestamps)) {
  const auto &graphs = model->graphs();
  if (std::none_of(graphs.begin(), graphs.end(), [](const Graph &g) { return g.name() == kPreprocess; }))
    fail(ErrorCode::Unsupported, model->path(), ": has no graph '", kPreprocess,
         "' that makes a picture the model's input; convert the model again");
  if (output_.empty()) return;
  const auto names = output_names(model->graph(graph_));
  if (std::find(names.begin(), names.end(), output_) == names.end())
    fail(ErrorCode::InvalidFile, model->path(), ": graph '", graph_, "' has no output '", output_, "'");
}

HostTensor ImageEncoder::prepare(const PixelView &picture, const std::atomic<bool> *cancel) {
  RunRequest request;
  request.graph = kPreprocess;
  request.inputs["image"] = image_words(picture);
  request.control.cancel = cancel;
  NamedTensors out = run_model(session_, request);
  const auto found = out.find(kPixels);
  if (found == out.end() || found->second.type.encoding != Encoding::F32 ||
      found->second.type.shape.rank() != 4 || found->second.type.shape[0] != 1)
    fail(ErrorCode::InvalidFile, model().path(), ": graph '", kPreprocess, "' gives no '", kPixels,
         "' [1, C, H, W]");
  return std::move(found->second);
}

std::vector<std::vector<float>> ImageEncoder::encode_pixels(HostTensor pixels,
                                                            const std::atomic<bool> *cancel) {
  const uint64_t n = pixels.type.shape.rank() == 4 ? pixels.type.shape[0] : 0;
  if (n == 0 || pixels.type.encoding != Encoding::F32)
    fail(ErrorCode::InvalidArgument, model().path(), ": pixels are ", to_string(pixels.type),
         ", expected f32 [B, C, h, w]");
  RunRequest request;
  request.graph = graph_;
  request.control.cancel = cancel;
  request.inputs[kPixels] = std::move(pixels);
  const HostTensor all = run_model(session_, request).at(output_);
  if (all.type.encoding != Encoding::F32 || all.type.shape.rank() != 2 || all.type.shape[0] != n)
    fail(ErrorCode::InvalidGraph, model().path(), ": output '", output_, "' is ", to_string(all.type),
         ", expected f32, one row for each of ", n, " pictures");
  check_finite(model().path(), "a vector with ", all.f);
  std::vector<std::vector<float>> rows;
  const auto width = std::ptrdiff_t(all.type.shape[1]);
  for (auto at = all.f.begin(); rows.size() < n; at += width) rows.emplace_back(at, at + width);
  return rows;
}

std::vector<std::vector<float>> ImageEncoder::encode(std::span<const PixelView> pictures,
                                                     const std::atomic<bool> *cancel) {
  std::vector<std::vector<float>> out(pictures.size());
  for (size_t begin = 0; begin < pictures.size(); begin += kMaxPictures) {
    const size_t end = std::min(pictures.size(), begin + kMaxPictures);
    std::map<std::vector<uint64_t>, std::vector<std::pair<size_t, HostTensor>>> by_size;
    for (size_t i = begin; i < end; ++i) {
      HostTensor pixels = prepare(pictures[i], cancel);
      const auto dims = pixels.type.shape.dims();
      by_size[{dims.begin(), dims.end()}].emplace_back(i, std::move(pixels));
    }
    for (const auto &[dims, all] : by_size)
      for (size_t first = 0; first < all.size(); first += kMaxBatch) {
        const size_t n = std::min(kMaxBatch, all.size() - first);
        HostTensor batch;
        batch.type = {all[first].second.type.shape.with(0, n), Encoding::F32};
        for (size_t i = first; i < first + n; ++i)
          batch.f.insert(batch.f.end(), all[i].second.f.begin(), all[i].second.f.end());
        auto rows = encode_pixels(std::move(batch), cancel);
        for (size_t i = 0; i < n; ++i) out[all[first + i].first] = std::move(rows[i]);
      }
  }
  return out;
}

} // namespace fovea
