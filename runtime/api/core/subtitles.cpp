#include "api/guard.h"

#include "text/subtitles.h"

#include <fovea/transcribe.h>

using namespace fovea;
using namespace fovea::api;

namespace {

SubtitleFormat format_of(fovea_subtitle_format format) {
  switch (format) {
  case FOVEA_SUBTITLE_TEXT: return SubtitleFormat::Text;
  case FOVEA_SUBTITLE_SRT: return SubtitleFormat::Srt;
  case FOVEA_SUBTITLE_VTT: return SubtitleFormat::Vtt;
  case FOVEA_SUBTITLE_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "subtitle format is ", int(format), ", expected 0 … 2");
}

} // namespace

extern "C" {

fovea_status fovea_subtitle_header(fovea_subtitle_format format, char **out) {
  return create_text(out, [&] { return SubtitleWriter(format_of(format)).header(); });
}

fovea_status fovea_subtitle_cue(fovea_subtitle_format format, uint32_t *n_cues, double start_s, double end_s,
                                const char *text, char **out) {
  return create_text(out, [&] {
    SubtitleWriter writer(format_of(format), *require(n_cues, "n_cues"));
    const std::string cue = writer.cue(start_s, end_s, require(text, "text"));
    *n_cues = uint32_t(writer.n_cues());
    return cue;
  });
}

} // extern "C"
