// LiveWriter: text while it is spoken. Settled text goes to stdout (or a file) at once; text that may still
// change is redrawn in one line of the terminal, where there is one, or is a line of JSON. One thread. Throws
// fovea::Error (IO).
#pragma once

#include "transcript_writer.h"

namespace tool {

class LiveWriter {
public:
  LiveWriter(TranscriptFormat format, std::string name, const std::string &output);
  ~LiveWriter() { clear(); }
  LiveWriter(const LiveWriter &) = delete;
  LiveWriter &operator=(const LiveWriter &) = delete;

  void settled(const fovea_segment &segment);
  void partial(const fovea_segment &segment);
  void finish();

private:
  void clear();
  void partial_line(fovea_segment segment);
  TranscriptFormat format_;
  TranscriptWriter writer_;
  std::FILE *terminal_ = nullptr; // where partial text is drawn
  bool drawn_ = false;
  std::optional<std::pair<double, double>> partial_times_; // of partial text that was written as JSON
};

} // namespace tool
