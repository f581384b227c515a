#include "support.h"

#include "tasks/sampling.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <regex>
#include <sstream>

namespace fovea::test {

std::vector<float> sound(double seconds, uint32_t seed) {
  std::vector<float> samples(size_t(seconds * 16000));
  Random random(seed);
  double phase = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = double(i) / 16000;
    phase += 0.02 + 1.2 * std::abs(std::sin(1.3 * t + seed));
    samples[i] = float(0.4 * std::sin(phase) * std::abs(std::sin(2.1 * t)) + 0.01 * random.uniform());
  }
  return samples;
}

std::vector<int32_t> all_tokens(const Transcript &t) {
  std::vector<int32_t> ids;
  for (const TranscriptSegment &s : t.segments) ids.insert(ids.end(), s.tokens.begin(), s.tokens.end());
  return ids;
}

Transcriber real_transcriber(const std::string &folder, Encoding encoding, uint32_t n_beams, bool pure) {
  const auto model = converted(folder, encoding, pure);
  TranscriberOptions options;
  options.n_beams = n_beams;
  return Transcriber(test_device(), model, DeviceWeights::load(test_device(), model), options);
}

TranscribeOptions plain() {
  TranscribeOptions o;
  o.temperatures = {0};
  o.no_speech_threshold.reset();
  return o;
}

TranscribeOptions as_reference(bool timestamps) {
  TranscribeOptions options;
  options.timestamps = timestamps;
  options.temperatures = {0};
  options.compression_ratio_threshold.reset();
  options.logprob_threshold.reset();
  options.no_speech_threshold.reset();
  options.max_tokens_per_window = 448;
  return options;
}

size_t n_words_differ(const std::string &got, const std::string &want, size_t &n_words) {
  const auto words = [](const std::string &text) {
    std::istringstream in(std::regex_replace(text, std::regex("<\\|[^|]*\\|>"), " "));
    return std::vector<std::string>(std::istream_iterator<std::string>(in), {});
  };
  const auto a = words(got), b = words(want);
  n_words += b.size();
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

} // namespace fovea::test
