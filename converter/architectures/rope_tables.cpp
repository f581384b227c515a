#include "converter/architectures/rope_tables.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {
namespace {

double positive(const Config &c, const char *key, std::optional<double> fallback = {}) {
  const double value = fallback && !c.has(key) ? *fallback : c.get_number(key);
  if (!(value > 0 && std::isfinite(value)))
    fail(ErrorCode::InvalidFile, c.path(), ": '", key, "' is ", value, ", expected more than 0");
  return value;
}

/// theta^(2 n / size), in the precision of the reference.
std::vector<double> wavelengths(double theta, uint32_t size) {
  std::vector<double> out(size / 2);
  for (size_t n = 0; n < out.size(); ++n)
    out[n] = double(float(std::pow(theta, double(float(2 * n) / float(size)))));
  return out;
}

std::vector<float> inverse(std::span<const double> values) {
  std::vector<float> out;
  for (const double v : values) out.push_back(1.0f / float(v));
  return out;
}

/// Low frequencies are slowed down, high ones kept, those between blended (Llama 3.1).
std::vector<float> llama3(const Config &c, std::vector<float> frequencies, double original) {
  const double factor = positive(c, "factor"), low = positive(c, "low_freq_factor"),
               high = positive(c, "high_freq_factor");
  if (high <= low)
    fail(ErrorCode::InvalidFile, c.path(), ": high_freq_factor ", high, " is not above low_freq_factor ",
         low);
  for (float &f : frequencies) {
    const double wavelength = 2 * std::numbers::pi / double(f);
    if (wavelength < original / high) continue;
    const double smooth = (original / wavelength - low) / (high - low);
    f = wavelength > original / low ? float(double(f) / factor)
                                    : float((1 - smooth) * double(f) / factor + smooth * double(f));
  }
  return frequencies;
}

/// Yet another RoPE extension: blended over dimensions instead, and a factor on the result.
RopeTable yarn(const Config &c, const std::vector<double> &waves, double theta, uint32_t size,
               double original, double positions) {
  const double factor = positive(c, "factor", positions / original);
  const auto magnitude = [](double stretch, double m) {
    return stretch <= 1 ? 1.0 : 0.1 * m * std::log(stretch) + 1.0;
  };
  const double m = c.find_number("mscale").value_or(0), m_all = c.find_number("mscale_all_dim").value_or(0);
  RopeTable table;
  table.scale = float(c.find_number("attention_factor")
                          .value_or(m != 0 && m_all != 0 ? magnitude(factor, m) / magnitude(factor, m_all)
                                                         : magnitude(factor, 1)));
  if (!(table.scale > 0 && std::isfinite(table.scale)))
    fail(ErrorCode::InvalidFile, c.path(), ": the attention factor is ", table.scale);
  // The dimension that turns so many times within the original context.
  const auto dimension = [&](double turns) {
    return size * std::log(original / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  double low = dimension(positive(c, "beta_fast", 32)), high = dimension(positive(c, "beta_slow", 1));
  if (c.find_bool("truncate").value_or(true)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, double(size) - 1);
  if (low == high) high += 0.001;
  for (size_t n = 0; n < waves.size(); ++n) {
    const double slowed = std::clamp((double(n) - low) / (high - low), 0.0, 1.0);
    table.frequencies.push_back(float(slowed / (factor * waves[n]) + (1 - slowed) / waves[n]));
  }
  return table;
}

/// A factor for each frequency, one list for texts of the original context and one for longer ones. Caches do
/// not survive the change from one to the other, so the context ends there.
RopeTable longrope(const Config &c, const std::vector<double> &waves, double original, double positions) {
  const Json *list = c.find("short_factor");
  if (!list || !list->is_array() || list->size() != waves.size())
    fail(ErrorCode::InvalidFile, c.path(), ": 'short_factor' must be a list of ", waves.size(), " numbers");
  RopeTable table;
  for (size_t n = 0; n < waves.size(); ++n) {
    const double factor = (*list)[n].is_number() ? (*list)[n].get<double>() : 0.0;
    if (!(factor > 0))
      fail(ErrorCode::InvalidFile, c.path(), ": 'short_factor' has an element that is not above 0");
    table.frequencies.push_back(float(1 / (factor * waves[n])));
  }
  const double factor = positive(c, "factor", positions / original);
  table.scale = float(
      positive(c, "attention_factor",
               factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(std::max(original, 2.0)))));
  return table;
}

} // namespace

RopeTable make_rope(const Config &c, const RopeSource &source, uint32_t &context) {
  const double theta = positive(c, "rope_theta", source.theta);
  if (theta <= 1) fail(ErrorCode::InvalidFile, c.path(), ": rope_theta is ", theta, ", expected more than 1");
  if (const auto part = c.find_number("partial_rotary_factor"); part && *part != 1)
    fail(ErrorCode::Unsupported, c.path(), ": partial_rotary_factor ", *part,
         "; this architecture turns whole heads");
  const std::string type = c.find_string("rope_type").value_or(c.find_string("type").value_or("default"));
  check_head_size(source.head_size, c);
  const std::vector<double> waves = wavelengths(theta, source.head_size);
  const double original = positive(c, "original_max_position_embeddings", source.positions);
  RopeTable table;
  if (type == "default" || type == "dynamic") {
    // Dynamic scaling begins past max_position_embeddings, where the context ends.
    table.frequencies = inverse(waves);
  } else if (type == "linear") {
    const double factor = positive(c, "factor");
    for (const float f : inverse(waves)) table.frequencies.push_back(float(double(f) / factor));
  } else if (type == "llama3") {
    table.frequencies = llama3(c, inverse(waves), original);
  } else if (type == "yarn") {
    table = yarn(c, waves, theta, source.head_size, original, source.positions);
  } else if (type == "longrope" || type == "su") {
    table = longrope(c, waves, original, source.positions);
    context = uint32_t(std::min<double>(context, original));
  } else {
    fail(ErrorCode::Unsupported, c.path(), ": rope_type '", printable(type),
         "' is not supported (default, linear, dynamic, yarn, longrope and llama3 are)");
  }
  return table;
}

RopeTable read_rope(const Config &config, const RopeSource &source, const std::string &layer_type,
                    uint32_t &context) {
  Json parameters = Json::object();
  for (const char *key : {"rope_scaling", "rope_parameters"}) {
    const Json *found = config.find(key);
    if (!found || (found->is_object() && found->empty())) continue;
    if (!found->is_object()) fail(ErrorCode::InvalidFile, config.path(), ": '", key, "' is not an object");
    const auto of_layer = found->find(layer_type);
    parameters = of_layer != found->end() && of_layer->is_object() ? *of_layer : *found;
    break;
  }
  // What stands beside the parameters goes for all that do not say otherwise.
  const auto inherit = [&](const char *key, bool first) {
    const Json *found = config.find(key);
    if (found && (first || !parameters.contains(key) || parameters[key].is_null())) parameters[key] = *found;
  };
  inherit("rope_theta", false);
  inherit("partial_rotary_factor", false);
  inherit("original_max_position_embeddings", true);
  return make_rope(Config(parameters, config.path()), source, context);
}

} // namespace fovea
