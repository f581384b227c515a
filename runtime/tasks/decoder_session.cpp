#include "tasks/decoder_session.h"

#include "tasks/canary.h"

#include <cmath>

namespace fovea {
namespace {

SessionOptions with_sizes(SessionOptions options, const DecoderSession::Sizes &sizes) {
  for (const auto &[symbol, size] : sizes.bindings()) options.bindings[symbol] = size;
  return options;
}

} // namespace

Bindings DecoderSession::Sizes::bindings() const {
  return {{"G", n_sources}, {"B", n_sequences()}, {"S", source_tokens}, {"C", cache_tokens}};
}

uint64_t decoder_state_bytes(const Model &model, const DecoderSession::Sizes &sizes) {
  std::vector<const Graph *> graphs;
  for (const Graph &g : model.graphs()) graphs.push_back(&g);
  return naming(model, [&] { return StateLayout::of(graphs, sizes.bindings()).bytes; });
}

DecoderSession::DecoderSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                               std::shared_ptr<const DeviceWeights> weights, const Sizes &sizes,
                               uint32_t n_vocabulary, SessionOptions options)
    : sizes_(sizes), n_vocabulary_(n_vocabulary),
      session_(std::move(device), std::move(model), std::move(weights),
               with_sizes(std::move(options), sizes)) {
  naming(session_.model(), [&] { check_graph(); });
}

// A file's graphs may give anything.
void DecoderSession::check_graph() {
  const Model &model = session_.model();
  const Graph &graph = model.graph("step");
  Bindings bindings = sizes_.bindings();
  bindings["T"] = 1;
  const auto types = infer_types(graph, bindings, [&](const std::string &name) -> const TensorType * {
    const WeightInfo *info = model.find_weight(name);
    return info ? &info->type : nullptr;
  });
  const uint64_t n = sizes_.n_sequences();
  const auto scores_of = [&](const char *name, uint64_t width) {
    const Value value = graph.find(name);
    if (!value || types[value.id].encoding != Encoding::F32)
      fail(ErrorCode::InvalidGraph, "graph 'step' has no output '", name, "'");
    const Shape &shape = types[value.id].shape;
    const uint64_t elements = shape.elements();
    if (width ? elements != n * width : elements == 0 || elements % (2 * n) != 0)
      fail(ErrorCode::InvalidGraph, "output '", name, "' of graph 'step' is ", shape, " for ", n,
           " sequences of ", n_vocabulary_, " tokens");
    return size_t(elements / (2 * n));
  };
  scores_of("last", n_vocabulary_);
  scores_of("logprobs", n_vocabulary_);
  n_best_ = scores_of("best", 0);
  n_top_ = scores_of("top", 0);
}

Program &DecoderSession::prepare_encode(std::span<const int32_t> tokens, std::span<const int32_t> mask) {
  // `encoder` itself stays on the device: the caches are what is wanted, and stores always happen.
  Program &program = session_.program("encode");
  program.set_input("tokens", tokens);
  program.set_input("mask", mask);
  mask_.assign(mask.begin(), mask.end());
  step_ = nullptr;
  return program;
}

Program &DecoderSession::prepare_encode_pixels(std::span<const float> pixels) {
  Program &program = session_.program("encode");
  if (program.input("pixels").size() != pixels.size_bytes())
    fail(ErrorCode::InvalidArgument, session_.model().path(), ": ", pixels.size(),
         " numbers of pixels, expected ", program.input("pixels").size() / sizeof(float));
  program.set_input("pixels", pixels);
  mask_.assign(size_t(sizes_.n_sources) * sizes_.source_tokens, 1);
  step_ = nullptr;
  return program;
}

Program &DecoderSession::prepare_step(std::span<const int32_t> tokens, uint32_t at, Wants wants) {
  std::set<std::string> outputs;
  if (wants.best) outputs.insert("best");
  if (wants.last) outputs.insert("last");
  if (wants.top) outputs.insert("top");
  if (wants.logprobs) outputs.insert("logprobs");
  Program &program = session_.program("step", {{"T", 1}}, outputs);
  program.set_input("decoder_tokens", tokens);
  program.set_input("mask", std::span<const int32_t>(mask_));
  program.set_step("pos", at);
  return program;
}

Program &DecoderSession::prepare_reorder(std::span<const uint32_t> order, uint32_t n_rows) {
  Program &program = session_.program("reorder");
  program.set_input("order", order);
  program.set_step("rows", n_rows);
  step_ = nullptr;
  return program;
}

void DecoderSession::encode(std::span<const int32_t> tokens, std::span<const int32_t> mask) {
  session_.run(prepare_encode(tokens, mask), control_);
}

void DecoderSession::encode_pixels(std::span<const float> pixels) {
  session_.run(prepare_encode_pixels(pixels), control_);
}

void DecoderSession::step(std::span<const int32_t> tokens, uint32_t at, Wants wants) {
  Program &program = prepare_step(tokens, at, wants);
  session_.run(program, control_);
  step_ = &program;
}

void DecoderSession::reorder(std::span<const uint32_t> order, uint32_t n_rows) {
  session_.run(prepare_reorder(order, n_rows), control_);
}

std::vector<DecoderSession::Scored> DecoderSession::pairs(const char *output, uint32_t sequence) const {
  const auto all = step_->output_as<float>(output);
  const size_t n = all.size() / sizes_.n_sequences();
  std::vector<Scored> out;
  for (size_t i = sequence * n; i < (sequence + 1) * n; i += 2) {
    // Not a number fails both comparisons.
    if (!(std::abs(all[i]) <= 3.0e38f) || !(all[i + 1] >= 0 && all[i + 1] < float(n_vocabulary_)))
      fail_wrong(session_.model().path(), concat("token ", all[i + 1], " with score ", all[i]));
    out.push_back({all[i], int32_t(all[i + 1])});
  }
  return out;
}

std::span<const float> DecoderSession::row(const char *output, uint32_t sequence) const {
  return step_->output_as<float>(output).subspan(size_t(sequence) * n_vocabulary_, n_vocabulary_);
}

} // namespace fovea
