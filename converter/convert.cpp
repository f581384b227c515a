#include "converter/convert.h"

#include "converter/architectures/architecture.h"

#include <chrono>
#include <filesystem>

namespace fovea {
namespace {

constexpr uint64_t kPieceElements = 4 << 20; // 16 MiB of floats

void check_space(const std::string &output, uint64_t needed_bytes) {
  const auto folder = std::filesystem::absolute(output).parent_path();
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (!error && space.available < needed_bytes)
    fail(ErrorCode::Io, output, ": needs ", needed_bytes, " bytes, the disk has ", uint64_t(space.available),
         " free");
}

class Conversion {
public:
  Conversion(const Source &source, const ModelPlan &plan, const std::string &output,
             const ConvertOptions &options)
      : source_(source), plan_(plan), options_(options), path_(output), out_(output) {}

  ConvertReport run() {
    declare();
    check_space(path_, out_.total_bytes());
    for (size_t i = 0; i < plan_.tensors.size(); ++i) write(plan_.tensors[i], report_.tensors[i]);
    tell({});
    out_.commit();
    return std::move(report_);
  }

private:
  void declare() {
    report_.architecture = plan_.architecture;
    report_.warnings = plan_.warnings;
    out_.add("general.architecture",
             std::string("fovea")); // other GGUF programs must not take it for one of theirs
    out_.add("fovea.architecture", plan_.architecture);
    for (const auto &[key, value] : plan_.metadata) out_.add(key, value);
    for (const auto &[name, text] : plan_.graphs) out_.add_graph(name, text);
    for (const OutputTensor &tensor : plan_.tensors) {
      TensorReport row;
      row.name = tensor.name;
      row.type = output_type(tensor, options_, row.note);
      row.bytes = row.type.bytes();
      out_.add_tensor(tensor.name, row.type);
      data_bytes_ += row.bytes;
      report_.tensors.push_back(std::move(row));
    }
    report_.output_bytes = out_.total_bytes();
    report_.source_bytes = source_.total_bytes();
  }

  void tell(std::string_view tensor) {
    if (options_.progress && !options_.progress({done_bytes_, data_bytes_, tensor}))
      fail(ErrorCode::Cancelled, path_, ": conversion cancelled");
  }

  void write(const OutputTensor &tensor, TensorReport &row) {
    const uint64_t length = tensor.shape.row(), n_rows = tensor.shape.rows();
    const bool stream = !tensor.combine;
    const std::vector<float> whole = stream ? std::vector<float>{} : combined(tensor);
    if (stream) check_stacked(tensor);
    const uint64_t rows_in_piece = std::max<uint64_t>(1, kPieceElements / length);
    std::vector<float> piece;
    std::vector<std::byte> scales; // follow all codes in the file
    for (uint64_t first = 0; first < n_rows; first += rows_in_piece) {
      tell(tensor.name);
      const uint64_t n = std::min(rows_in_piece, n_rows - first) * length;
      std::span<const float> rows = std::span(whole).subspan(stream ? 0 : first * length, stream ? 0 : n);
      if (stream) {
        piece.resize(n);
        read_stacked(tensor, first * length, piece);
        rows = piece;
      }
      const EncodedRows encoded =
          encode(row.type.encoding, rows, length, tensor.name, row.error, first, options_.n_threads);
      out_.write(encoded.codes);
      scales.insert(scales.end(), encoded.scales.begin(), encoded.scales.end());
      done_bytes_ += encoded.codes.size();
    }
    if (!scales.empty()) out_.write(scales);
    done_bytes_ += scales.size();
  }

  void check_stacked(const OutputTensor &tensor) const {
    uint64_t n = 0;
    for (const SourceInput &input : tensor.inputs) n += input.shape.elements();
    if (n != tensor.shape.elements())
      fail(ErrorCode::Internal, "tensor '", tensor.name, "' ", tensor.shape, " has inputs of ", n,
           " elements and no rule for them");
    if (tensor.interleaved && n != tensor.inputs.size() * tensor.inputs[0].shape.elements())
      fail(ErrorCode::Internal, "tensor '", tensor.name, "' has inputs of different sizes in turn");
  }
  /// Elements from `first` of the inputs' rows in turn.
  void read_interleaved(const OutputTensor &tensor, uint64_t first, std::span<float> out) const {
    const uint64_t n_inputs = tensor.inputs.size();
    const uint64_t row_size = tensor.shape.rank() > 1 ? tensor.shape.row() : 1; // a bias has one per row
    while (!out.empty()) {
      const uint64_t row = first / row_size, at = first % row_size;
      const uint64_t n = std::min<uint64_t>(row_size - at, out.size());
      source_.read(*source_.find(tensor.inputs[row % n_inputs].name), row / n_inputs * row_size + at,
                   out.first(n));
      out = out.subspan(n);
      first += n;
    }
  }
  /// Elements from `first` of the inputs laid end to end, or of their rows in turn.
  void read_stacked(const OutputTensor &tensor, uint64_t first, std::span<float> out) const {
    if (tensor.interleaved) return read_interleaved(tensor, first, out);
    for (const SourceInput &input : tensor.inputs) {
      const uint64_t size = input.shape.elements();
      if (first < size && !out.empty()) {
        const uint64_t n = std::min<uint64_t>(size - first, out.size());
        source_.read(*source_.find(input.name), first, out.first(n));
        out = out.subspan(n);
        first += n;
      }
      first -= std::min(first, size);
    }
  }

  std::vector<float> combined(const OutputTensor &tensor) const {
    std::vector<std::vector<float>> inputs;
    for (const SourceInput &input : tensor.inputs) inputs.push_back(source_.read(input.name));
    std::vector<float> out = tensor.combine(inputs);
    if (out.size() != tensor.shape.elements())
      fail(ErrorCode::Internal, "tensor '", tensor.name, "' ", tensor.shape, " was made with ", out.size(),
           " elements");
    return out;
  }

  const Source &source_;
  const ModelPlan &plan_;
  const ConvertOptions &options_;
  std::string path_;
  GgufWriter out_;
  ConvertReport report_;
  uint64_t done_bytes_ = 0, data_bytes_ = 0;
};

} // namespace

TensorType output_type(const OutputTensor &tensor, const ConvertOptions &options, std::string &note) {
  const TensorClass tensor_class = tensor.tensor_class;
  const auto encoding = [&] {
    if (tensor_class == TensorClass::Exact) return Encoding::F32;
    if (tensor_class == TensorClass::Index) return Encoding::I32;
    if (tensor_class == TensorClass::Sensitive)
      return options.encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
    if (tensor.shape.row() % info(options.encoding).group_size != 0) {
      note = concat("kept at f16: rows of ", tensor.shape.row(), " are no multiple of ",
                    info(options.encoding).group_size);
      return Encoding::F16;
    }
    if (tensor_class == TensorClass::Matrix || options.encoding != Encoding::Q4 || options.pure)
      return options.encoding;
    note = tensor_class == TensorClass::Vocabulary ? "kept at q8: it goes straight into the logits"
                                                   : "kept at q8: four bits here change words";
    return Encoding::Q8;
  }();
  return {tensor.shape, encoding};
}

ConvertReport convert(const Source &source, const ModelPlan &plan, const std::string &output_path,
                      const ConvertOptions &options) {
  if (options.encoding == Encoding::I32)
    fail(ErrorCode::InvalidArgument, "weights cannot be encoded as i32; choose f32, f16, q8 or q4");
  const auto start = std::chrono::steady_clock::now();
  if (source.holds(output_path))
    fail(ErrorCode::InvalidArgument, output_path, ": is part of the source; give another output");
  check_graphs(plan);
  check_inputs(plan, source);
  ConvertReport report = Conversion(source, plan, output_path, options).run();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

ConvertReport convert(const std::string &source_path, const std::string &output_path,
                      const ConvertOptions &options) {
  const Source source = open_source(source_path);
  return convert(source, plan_model(source, options.encoding), output_path, options);
}

} // namespace fovea
