// Lines of live JSON: what is written of text that comes and goes.
#include "api/tool.h"
#include "samples/fovea/live_writer.h"

using namespace fovea::test;

namespace {

fovea_segment segment(const char *text, double start_s, double end_s) {
  fovea_segment s{};
  s.text = text;
  s.start_s = start_s;
  s.end_s = end_s;
  return s;
}

} // namespace

TEST_CASE("live JSON: an empty partial line is written only to take text back, with its times") {
  const TempFolder folder;
  tool::LiveWriter writer(tool::TranscriptFormat::Json, "x", folder / "out");
  const fovea_segment nothing = segment("", 0, 0);
  writer.partial(nothing); // nothing was there
  writer.partial(segment("one", 1, 2));
  writer.settled(segment("one two", 1, 3));
  writer.partial(nothing); // what was there is settled
  writer.partial(segment("cough", 4, 5));
  writer.partial(nothing);
  writer.partial(nothing); // taken back already
  writer.finish();
  std::vector<std::string> lines = lines_of(read_file(folder / "out"));
  for (std::string &line : lines) line = line.substr(0, line.find(R"(,"tokens")"));
  CHECK(lines == std::vector<std::string>{R"({"type":"partial","start":1.0,"end":2.0,"text":"one")",
                                          R"({"type":"final","start":1.0,"end":3.0,"text":"one two")",
                                          R"({"type":"partial","start":4.0,"end":5.0,"text":"cough")",
                                          R"({"type":"partial","start":4.0,"end":5.0,"text":"")"});
}
