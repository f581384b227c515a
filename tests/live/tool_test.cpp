// fovea transcribe --realtime, and --mic with a virtual microphone.
#include "live/support.h"

#include <atomic>
#include <nlohmann/json.hpp>
#include <regex>
#include <sys/stat.h>
#include <thread>

using namespace fovea::test;
using Json = nlohmann::json;

namespace {

std::vector<std::string> words_of(const std::string &text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> offline_words(const std::string &audio) {
  const Finished f = run_tool("transcribe -q " + quoted(live_model()) + " " + quoted(audio));
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return words_of(f.out);
}

} // namespace

TEST_CASE("tool: a recording in real time gives the text that it gives at once") {
  const TempFolder folder;
  const std::string audio = folder / "said.wav";
  write_wav(audio, live_sound(live_sentences(2)));
  const auto want = offline_words(audio);
  REQUIRE(want.size() == 8);
  const std::string srt = folder / "said.srt";
  // Side by side: each takes as long as the recording.
  Running text({"transcribe", live_model(), audio, "--realtime"}),
      json({"transcribe", live_model(), audio, "--realtime", "-q", "-f", "json", "--partial", "0.2"}),
      settled_only({"transcribe", live_model(), audio, "--realtime", "-q", "-f", "json", "--partial", "0"}),
      file({"transcribe", live_model(), audio, "--realtime", "-q", "-f", "srt", "-o", srt});

  std::string written;
  size_t n_lines = 0;
  for (; const auto line = text.line(); ++n_lines) written += *line + " ";
  CHECK(text.wait() == 0);
  CHECK(words_of(written) == want);
  CHECK(n_lines >= 2); // a line for each utterance
  CHECK(written.find('\r') == std::string::npos);
  CHECK_MESSAGE(text.err().find(" s with speech, real-time factor ") != std::string::npos, text.err());
  CHECK_MESSAGE(
      std::regex_search(text.err(), std::regex("latency: first text -?[0-9.]+ s .95%: [0-9.]+ s. after "
                                               "speech begins, settled text [0-9.]+ s")),
      text.err());

  std::string settled;
  double reached = 0;
  size_t n_partials = 0;
  while (const auto line = json.line()) {
    const Json o = Json::parse(*line);
    CHECK(o["start"] <= o["end"]);
    if (o["type"] == "partial") {
      ++n_partials;
      CHECK((o["text"] == "" || o["start"] >= reached));
      continue;
    }
    CHECK(o["type"] == "final");
    CHECK(o["start"] >= reached);
    CHECK(o["words"].size() > 0);
    reached = o["end"];
    settled += o["text"].get<std::string>();
  }
  CHECK(json.wait() == 0);
  CHECK(json.err().empty());
  CHECK(words_of(settled) == want);
  CHECK(n_partials > 3);

  std::string again;
  while (const auto line = settled_only.line()) {
    const Json o = Json::parse(*line);
    CHECK(o["type"] == "final");
    again += o["text"].get<std::string>();
  }
  CHECK(again == settled);
  CHECK(file.wait() == 0);
  CHECK(read_file(srt).rfind("1\n00:00:00,", 0) == 0);
}

TEST_CASE("tool: lines come as they settle; Ctrl-C settles what was said, and nothing is lost") {
  const TempFolder folder;
  const std::string audio = folder / "long.wav", out = folder / "out.txt";
  write_wav(audio, live_sound(live_sentences(40)));
  const auto all = offline_words(audio);
  Running tool({"transcribe", live_model(), audio, "--realtime", "-f", "json"});
  std::string settled, partial;
  const auto take = [&](const std::string &line) {
    const Json o = Json::parse(line);
    const bool is_final = o["type"] == "final";
    if (is_final) settled += o["text"].get<std::string>();
    partial = is_final ? "" : o["text"].get<std::string>();
    return is_final;
  };
  size_t n_final = 0;
  while (n_final < 2 || partial.empty()) { // in the middle of a sentence
    const auto line = tool.line();
    REQUIRE(line);
    n_final += take(*line);
    CHECK_FALSE(tool.ended());
  }
  const auto so_far = words_of(settled + partial);
  tool.interrupt();
  while (const auto line = tool.line()) take(*line);
  CHECK(tool.wait() == 130);
  CHECK_MESSAGE(tool.err().find("latency: ") != std::string::npos, tool.err());
  CHECK(tool.err().find("interrupted") == std::string::npos);
  // As far as it was fed; the last word, and that of the last partial text, may be cut.
  const auto words = words_of(settled);
  REQUIRE(words.size() >= so_far.size());
  REQUIRE(words.size() < all.size());
  for (size_t i = 0; i + 1 < words.size(); ++i) CHECK(words[i] == all[i]);
  for (size_t i = 0; i + 1 < so_far.size(); ++i) CHECK(words[i] == so_far[i]);

  // The file, too, has what was said.
  Running into({"transcribe", live_model(), audio, "--realtime", "-o", out});
  std::this_thread::sleep_for(std::chrono::seconds(3));
  CHECK_FALSE(into.ended());
  CHECK_FALSE(std::filesystem::exists(out));
  into.interrupt();
  CHECK(into.wait() == 130);
  const auto in_file = words_of(read_file(out));
  for (size_t i = 0; i + 1 < in_file.size(); ++i) CHECK(in_file[i] == all[i]);
}

TEST_CASE("tool: live transcription's options that cannot be meant") {
  check_tool_error("transcribe m a.wav --mic", 2, "--mic listens to a microphone, not to a.wav");
  check_tool_error("transcribe m.gguf", 2, "AUDIO missing");
  check_tool_error("transcribe m.gguf --realtime", 2, "AUDIO missing");
  check_tool_error("transcribe m --mic --realtime", 2, "--realtime is of a recording");
  check_tool_error("transcribe m a.wav b.wav --realtime", 2, "--realtime takes one recording");
  check_tool_error("transcribe m - --realtime", 2, "--realtime");
  check_tool_error("transcribe m a.wav --mic-device 1", 2, "--mic-device goes with --mic");
  check_tool_error("transcribe m --mic --mic-device ''", 2, "--mic-device");
  check_tool_error("transcribe m a.wav --pause 1", 2, "--pause goes with");
  check_tool_error("transcribe m a.wav --partial 1", 2, "--partial goes with");
  check_tool_error("transcribe m a.wav --realtime --pause 0.1", 2, "--pause");
  check_tool_error("transcribe m a.wav --realtime --pause nan", 2, "--pause");
  check_tool_error("transcribe m a.wav --realtime --condition off", 2, "--condition has no effect");
  check_tool_error("transcribe m a.wav --realtime -o /tmp/", 2, "-o must be a file");
  check_tool_error("transcribe " + quoted(live_model()) + " /nonexistent.wav --realtime", 1,
                   "/nonexistent.wav");
}

// ALSA's file plugin stands for a microphone: it reads what a thread writes to a pipe at the pace of sound.
// PortAudio asks it for more than it takes, so that pieces are lost: letters last half a second.
TEST_CASE("tool: --mic writes down what a microphone hears, until Ctrl-C") {
  const TempFolder folder;
  const std::string config = folder / "asound.conf", fifo = folder / "said";
  if (!std::filesystem::exists("/usr/share/alsa/alsa.conf")) {
    MESSAGE("skipped: ALSA is not set up here");
    return;
  }
  write_file(config, "</usr/share/alsa/alsa.conf>\n"
                     "pcm.said { type file slave.pcm null file /dev/null infile \"" +
                         fifo +
                         "\" format raw }\n"
                         "pcm.!default { type plug slave { pcm said rate 16000 channels 1 format S16_LE } }\n"
                         "ctl.!default { type null }\n");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const std::string with_config = "ALSA_CONFIG_PATH=" + quoted(config) + " ";
  std::vector<int16_t> said(kLiveRate / 2);
  for (int i = 0; i < 20; ++i) {
    for (const char letter : std::string("ABC ")) {
      const double level =
          double(letter == ' ' ? kCtcDelimiter : kCtcLetterA + letter - 'A') / kCtcVocabulary;
      for (uint32_t k = 0; k < kLiveRate / 2; ++k) // a whine besides, whose mean is nothing
        said.push_back(int16_t(32767 * (level + 0.05 * std::sin(2 * 3.14159265 * k * 5 / 80))));
    }
    said.resize(said.size() + kLiveRate);
  }
  // Open for reading too, so that who looks at the device and closes it again does not end the writing.
  const int fd = open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(fd >= 0);
  std::atomic<bool> speaking = false, done = false;
  std::thread speaker([&] {
    const std::vector<int16_t> silence(kLiveRate / 50);
    for (size_t at = 0; !done; std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
      const bool is_speech = speaking && at + silence.size() <= said.size();
      const ssize_t n = write(fd, is_speech ? said.data() + at : silence.data(), silence.size() * 2);
      if (is_speech && n > 0) at += size_t(n) / 2;
    }
  });
  {
    const Finished list = run_tool("transcribe --list-mics", with_config);
    if (list.exit_code == 0) {
      CHECK(list.out.find("default") != std::string::npos);
      CHECK(list.out.find("\n*") != std::string::npos);
      check_tool_error("transcribe " + quoted(live_model()) + " --mic --mic-device nothing-like-it", 1,
                       "microphone");
      speaking = true;
      Running tool({"transcribe", live_model(), "--mic", "-f", "json"}, config);
      size_t n_final = 0, n_right = 0;
      std::string heard;
      while (n_right < 1 && n_final < 12) { // a busy machine loses a letter at times
        const auto line = tool.line();
        REQUIRE_MESSAGE(line, tool.err());
        const Json o = Json::parse(*line);
        if (o["type"] != "final") continue;
        const std::string text = o["text"];
        ++n_final;
        n_right += text.find("AB") != text.npos || text.find("BC") != text.npos;
        heard += text + "; ";
      }
      CHECK_MESSAGE(n_right >= 1, heard);
      tool.interrupt();
      while (tool.line()) {}
      CHECK(tool.wait() == 130);
      CHECK_MESSAGE(tool.err().rfind("listening to default; Ctrl-C ends\n", 0) == 0, tool.err());
      CHECK(tool.err().find("microphone: ") != std::string::npos);
    } else { // built without PortAudio, or it knows nothing of ALSA
      MESSAGE("skipped: ", list.err);
      CHECK(list.exit_code == 1);
      CHECK(lines_of(list.err).size() == 1);
    }
  }
  done = true;
  speaker.join();
  close(fd);
}
