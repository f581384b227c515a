#include "transcript_writer.h"

#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const fovea_segment &s) {
  Json out = {{"start", s.start_s},
              {"end", s.end_s},
              {"text", s.text},
              {"tokens", std::vector<int32_t>(s.tokens, s.tokens + s.n_tokens)},
              {"avg_logprob", s.avg_logprob},
              {"compression_ratio", s.compression_ratio},
              {"no_speech_prob", s.no_speech_probability},
              {"temperature", s.temperature}};
  if (s.n_words == 0) return out;
  Json &words = out["words"] = Json::array();
  for (size_t i = 0; i < s.n_words; ++i) {
    const fovea_word &w = s.words[i];
    words.push_back(
        {{"start", w.start_s}, {"end", w.end_s}, {"text", w.text}, {"probability", w.probability}});
  }
  return out;
}

Json to_json(const fovea::Transcript &transcript, const std::string &audio) {
  Json segments = Json::array();
  for (size_t i = 0; i < transcript.n_segments(); ++i) segments.push_back(to_json(transcript.segment(i)));
  const fovea_transcribe_timings &t = transcript.timings();
  return {{"audio", audio},
          {"language", transcript.language()},
          {"language_probability", transcript.language_probability()},
          {"text", transcript.text()},
          {"segments", std::move(segments)},
          {"timings",
           {{"audio_s", t.audio_s},
            {"total_s", t.total_s},
            {"real_time_factor", t.audio_s > 0 ? t.total_s / t.audio_s : 0.0},
            {"peak_s", t.peak_s},
            {"features_s", t.features_s},
            {"encode_s", t.encode_s},
            {"prompt_s", t.prompt_s},
            {"decode_s", t.decode_s},
            {"windows", t.n_windows},
            {"tokens", t.n_tokens}}}};
}

} // namespace

TranscriptWriter::TranscriptWriter(TranscriptFormat format, std::string audio, const std::string &output,
                                   bool several)
    : format_(format), audio_(std::move(audio)), several_(several) {
  if (!output.empty()) file_.emplace(output);
}

fovea_subtitle_format TranscriptWriter::cue_format() const {
  return format_ == TranscriptFormat::Srt   ? FOVEA_SUBTITLE_SRT
         : format_ == TranscriptFormat::Vtt ? FOVEA_SUBTITLE_VTT
                                            : FOVEA_SUBTITLE_TEXT;
}

void TranscriptWriter::write(std::string_view text) {
  if (file_)
    file_->write(text);
  else
    print(text);
}

void TranscriptWriter::begin() {
  if (std::exchange(begun_, true)) return;
  if (several_ && !file_ && format_ == TranscriptFormat::Text) write("==> " + audio_ + " <==\n");
  write(fovea::subtitle_header(cue_format()).value());
}

void TranscriptWriter::segment(const fovea_segment &segment) {
  if (format_ == TranscriptFormat::Json) return;
  begin();
  write(fovea::subtitle_cue(cue_format(), n_cues_, segment).value());
}

void TranscriptWriter::line(const fovea_segment &segment, const char *type) {
  Json out = {{"type", type}};
  out.update(to_json(segment));
  write(out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void TranscriptWriter::finish(const fovea::Transcript &transcript) {
  if (format_ == TranscriptFormat::Json)
    write(to_json(transcript, audio_)
              .dump(several_ && !file_ ? -1 : 2, ' ', false, Json::error_handler_t::replace) +
          "\n");
  finish();
}

void TranscriptWriter::finish() {
  if (format_ != TranscriptFormat::Json) begin();
  if (file_) file_->commit();
}

} // namespace tool
