#include "tasks/text_encoder_session.h"

#include "tasks/canary.h"
#include "tasks/load_tokenizer.h"
#include "tasks/run_graphs.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kMaxRows = 32;
constexpr uint32_t kMaxBatchTokens = 4096; // bounds memory: activations grow with it

std::string graph_of(const Model &model) {
  return std::string(model.file().find_string("fovea.text.graph").value_or("forward"));
}

uint32_t read_size(const ModelFile &file, const char *key, uint32_t most) {
  const uint32_t value = file.get_u32(key);
  if (value == 0 || value > most)
    fail(ErrorCode::InvalidFile, file.path(), ": ", key, " is ", value, ", expected 1 to ", most);
  return value;
}

SessionOptions session_options(const Model &model, bool timestamps) {
  SessionOptions options;
  options.bindings = session_sizes(model);
  options.timestamps = timestamps;
  return options;
}

} // namespace

TextEncoderSession::TextEncoderSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                                       std::shared_ptr<const DeviceWeights> weights, std::string output,
                                       bool timestamps)
    : graph_(graph_of(*model)), output_(std::move(output)),
      max_tokens_(read_size(model->file(), "fovea.text.max_tokens", 1u << 20)),
      n_vocabulary_(read_size(model->file(), "fovea.text.vocabulary", 1u << 24)),
      pad_(model->file().find_i32("fovea.text.pad").value_or(0)),
      session_(std::move(device), model, std::move(weights), session_options(*model, timestamps)) {
  const ModelFile &file = model->file();
  if (file.find_strings("tokenizer.ggml.tokens")) tokenizer_.emplace(load_tokenizer(file, n_vocabulary_));
  const auto names = output_names(model->graph(graph_));
  if (std::find(names.begin(), names.end(), output_) == names.end())
    fail(ErrorCode::InvalidFile, file.path(), ": graph '", graph_, "' has no output '", output_, "'");
}

std::vector<EncodedRow> TextEncoderSession::encode(std::span<const std::string> texts,
                                                   const std::string &prefix,
                                                   const std::atomic<bool> *cancel) {
  if (!tokenizer_)
    fail(ErrorCode::Unsupported, model().path(),
         ": the file has no tokenizer; give token ids in place of texts");
  std::vector<std::vector<int32_t>> ids;
  std::vector<bool> truncated;
  for (const std::string &text : texts) {
    LimitedText limited = limit_text(*tokenizer_, prefix + text, max_tokens_);
    if (limited.ids.empty()) limited.ids = {pad_}; // a text of nothing, and no template
    ids.push_back(std::move(limited.ids));
    truncated.push_back(limited.truncated);
  }
  std::vector<EncodedRow> out = encode_tokens(ids, cancel);
  for (size_t i = 0; i < out.size(); ++i) out[i].truncated = truncated[i];
  return out;
}

Program &TextEncoderSession::prepare(const TextBatch &batch, std::span<const std::vector<int32_t>> texts) {
  const PaddedRows rows = pad_rows(batch, texts, pad_);
  const Graph &graph = model().graph(graph_);
  Program &program = session_.program(graph_, {{"B", batch.n_rows}, {"T", batch.n_tokens}}, {output_});
  for (const PlanValue &input : program.plan().inputs) {
    const auto fallback = graph.value(graph.find(input.name)).fallback;
    if (input.name == "tokens")
      program.set_input("tokens", std::span<const int32_t>(rows.tokens));
    else if (input.name == "mask")
      program.set_input("mask", std::span<const int32_t>(rows.mask));
    else if (fallback && input.type.encoding == Encoding::I32)
      program.set_input(
          input.name, std::span<const int32_t>(std::vector<int32_t>(input.type.shape.elements(), *fallback)));
    else
      fail(ErrorCode::InvalidFile, model().path(), ": graph '", graph_, "' needs '", input.name,
           "', which texts do not have");
  }
  return program;
}

std::vector<EncodedRow> TextEncoderSession::encode_tokens(std::span<const std::vector<int32_t>> texts,
                                                          const std::atomic<bool> *cancel) {
  std::vector<uint32_t> lengths;
  for (const auto &ids : texts) {
    if (ids.empty() || ids.size() > max_tokens_)
      fail(ErrorCode::InvalidArgument, model().path(), ": a text of ", ids.size(), " tokens, expected 1 to ",
           max_tokens_);
    for (const int32_t id : ids)
      if (id < 0 || id >= int64_t(n_vocabulary_))
        fail(ErrorCode::InvalidArgument, model().path(), ": token ", id, ", expected 0 to ",
             n_vocabulary_ - 1);
    lengths.push_back(uint32_t(ids.size()));
  }
  std::vector<EncodedRow> out(texts.size());
  RunControl control;
  control.cancel = cancel;
  const uint32_t longest = lengths.empty() ? 1 : *std::max_element(lengths.begin(), lengths.end());
  const uint32_t max_rows = std::clamp(kMaxBatchTokens / longest, 1u, kMaxRows);
  for (const TextBatch &batch : batch_texts(lengths, max_rows, max_tokens_)) {
    Program &program = prepare(batch, texts);
    session_.run(program, control);
    const auto values = program.output_as<float>(output_);
    check_finite(model().path(), "a vector with ", values);
    const size_t width = values.size() / batch.n_rows;
    if (program.output_type(output_).shape != Shape{batch.n_rows, width})
      fail(ErrorCode::InvalidGraph, model().path(), ": output '", output_, "' is ",
           program.output_type(output_).shape, ", expected one row for each of ", batch.n_rows, " texts");
    for (size_t r = 0; r < batch.rows.size(); ++r) {
      const auto row = values.subspan(r * width, width);
      out[batch.rows[r]].values.assign(row.begin(), row.end());
    }
  }
  return out;
}

} // namespace fovea
