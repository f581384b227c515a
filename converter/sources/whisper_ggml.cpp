#include "base/checked.h"
#include "converter/json.h"
#include "converter/sources/formats.h"

namespace fovea {
namespace {

constexpr uint32_t kMagic = 0x67676d6c; // "ggml"

/// The eleven numbers after the magic, in order.
struct Hyperparameters {
  int32_t n_vocab, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer, n_text_ctx, n_text_state,
      n_text_head, n_text_layer, n_mels, ftype;
};

class Reader {
public:
  explicit Reader(InputFile file)
      : path_(file.path()), file_(std::move(file)), in_(file_), source_(path_, "whisper.cpp ggml file") {}

  Source read() {
    if (in_.read<uint32_t>("magic") != kMagic) bad("not a whisper.cpp ggml file");
    hyperparameters();
    SourceTensor filters = mel_filters();
    vocabulary();
    std::vector<SourceTensor> tensors = {std::move(filters)};
    while (in_.remaining() > 0) {
      if (tensors.size() == 65536) bad("more than 65536 tensors");
      tensors.push_back(tensor());
    }
    source_.add_file(std::move(file_));
    for (SourceTensor &t : tensors) source_.add_tensor(std::move(t));
    source_.finish();
    return std::move(source_);
  }

private:
  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, path_, ": ", parts...);
  }

  uint32_t count(std::string_view what, uint32_t max) {
    const auto value = in_.read<int32_t>(what);
    if (value < 1 || uint32_t(value) > max) bad(what, " is ", value, ", expected 1 to ", max);
    return uint32_t(value);
  }

  void refuse_quantized(int32_t type, std::string_view what) const {
    if (type != 0 && type != 1)
      fail(ErrorCode::Unsupported, path_, ": ", what, " is block-quantized (ggml type ", type,
           "); convert the f16 file and choose --encoding q8 or q4");
  }

  void hyperparameters() {
    const auto h = in_.read<Hyperparameters>("hyperparameters");
    const auto check = [&](const char *name, int32_t value, int32_t max) {
      if (value < 1 || value > max) bad(name, " is ", value, ", expected 1 to ", max);
      return value;
    };
    refuse_quantized(h.ftype % 1000, "the model"); // thousands are the quantization's version
    if (h.n_audio_state != h.n_text_state)
      bad("n_audio_state ", h.n_audio_state, " differs from n_text_state ", h.n_text_state);
    const Json config = {{"model_type", "whisper"},
                         {"activation_function", "gelu"},
                         {"vocab_size", check("n_vocab", h.n_vocab, 1 << 20)},
                         {"num_mel_bins", check("n_mels", h.n_mels, 1 << 10)},
                         {"d_model", check("n_audio_state", h.n_audio_state, 1 << 16)},
                         {"max_source_positions", check("n_audio_ctx", h.n_audio_ctx, 1 << 20)},
                         {"encoder_attention_heads", check("n_audio_head", h.n_audio_head, 1 << 12)},
                         {"encoder_layers", check("n_audio_layer", h.n_audio_layer, 1 << 10)},
                         {"encoder_ffn_dim", 4 * h.n_audio_state},
                         {"max_target_positions", check("n_text_ctx", h.n_text_ctx, 1 << 20)},
                         {"decoder_attention_heads", check("n_text_head", h.n_text_head, 1 << 12)},
                         {"decoder_layers", check("n_text_layer", h.n_text_layer, 1 << 10)},
                         {"decoder_ffn_dim", 4 * h.n_text_state}};
    source_.add_text("config.json", config.dump());
  }

  SourceTensor mel_filters() {
    const uint64_t n_mel = count("mel filters", 1 << 10), n_fft = count("mel filter length", 1 << 16);
    SourceTensor out;
    out.name = "mel_filters";
    out.shape = Shape{n_mel, n_fft};
    out.offset = in_.position();
    in_.skip(out.bytes(), "mel filters");
    return out;
  }

  void vocabulary() {
    std::vector<std::string> tokens(count("vocabulary", 1 << 20));
    for (std::string &token : tokens) {
      const auto n_bytes = in_.read<uint32_t>("token length");
      if (n_bytes > 4096) bad("a token of ", n_bytes, " bytes");
      token = in_.text(n_bytes, "token");
    }
    source_.set_vocabulary(std::move(tokens));
  }

  SourceTensor tensor() {
    const uint32_t rank = count("tensor rank", kMaxRank), name_bytes = count("tensor name length", 255);
    const auto type = in_.read<int32_t>("tensor type");
    std::array<uint64_t, kMaxRank> dims{};
    for (uint32_t i = 0; i < rank; ++i)
      dims[rank - 1 - i] = count("tensor dimension", 1u << 30); // innermost first
    SourceTensor out;
    out.name = in_.text(name_bytes, "tensor name");
    if (printable(out.name) != out.name)
      bad("tensor name '", printable(out.name), "' is long or has control characters");
    refuse_quantized(type, concat("tensor '", out.name, "'"));
    out.type = type == 0 ? SourceType::F32 : SourceType::F16;
    out.shape = Shape(std::span<const uint64_t>(dims.data(), rank));
    out.offset = in_.position();
    in_.skip(stored_bytes(out.type, out.shape.elements(), out.name), concat("tensor '", out.name, "'"));
    return out;
  }

  std::string path_;
  InputFile file_;
  FileCursor in_;
  Source source_;
};

} // namespace

Source open_whisper_ggml(InputFile file) { return Reader(std::move(file)).read(); }

} // namespace fovea
