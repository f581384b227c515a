#include "converter/architectures/activation.h"

#include "converter/sources/source.h"

namespace fovea {

Activation read_activation(const Config &config, std::string_view key, const char *fallback) {
  static constexpr std::pair<const char *, Activation> kNames[] = {
      {"gelu", Activation::Gelu},
      {"gelu_python", Activation::Gelu},
      {"gelu_new", Activation::GeluTanh},
      {"gelu_fast", Activation::GeluTanh},
      {"gelu_pytorch_tanh", Activation::GeluTanh},
      {"gelu_python_tanh", Activation::GeluTanh},
      {"quick_gelu", Activation::QuickGelu},
      {"relu", Activation::Relu},
      {"silu", Activation::Silu},
      {"swish", Activation::Silu},
      {"tanh", Activation::Tanh},
      {"sigmoid", Activation::Sigmoid},
      {"relu6", Activation::Relu6},
      {"hardswish", Activation::HardSwish},
      {"hard_swish", Activation::HardSwish},
      {"hard_sigmoid", Activation::HardSigmoid},
      {"linear", Activation::None}};
  const std::string name = config.find_string(key).value_or(fallback);
  std::string known;
  for (const auto &[text, activation] : kNames) {
    if (name == text) return activation;
    known += concat(known.empty() ? "" : ", ", text);
  }
  fail(ErrorCode::Unsupported, config.path(), ": ", key, " '", printable(name), "' is not supported (", known,
       " are)");
}

} // namespace fovea
