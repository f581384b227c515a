// select_parts FOLDER HEADERS MODEL...: what a library that runs these models, and nothing else, is linked of
// (cmake/fovea_selection.cmake). HEADERS is the folder of the C interface. Writes into FOLDER:
//
// - selection.txt: the models, their tasks, ops and kernels, one a line (shaders/pack/pack_kernels.cpp);
// - selected_ops.h, for ops/registry.cpp;
// - selected_parts.cpp, in place of tasks/transcription_kinds.cpp and base/builtin_profiles.cpp;
// - symbols.map and symbols.rsp, for the linker: the functions that these tasks have.
#include "exec/needs.h"
#include "tasks/speech_spec.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace fovea;

namespace {

struct Header {
  const char *task, *name; // no task: in every library
};
// Not measure.h and doctor.h, whose functions run every task there is.
constexpr Header kHeaders[] = {
    {"", "status.h"},
    {"", "device.h"},
    {"", "model.h"},
    {"", "session.h"},
    {"transcribe", "transcribe.h"},
    {"transcribe", "stream.h"},
    {"generate", "generate.h"},
    {"translate", "translate.h"},
    {"embed", "embed.h"},
    {"classify", "classify.h"},
    {"caption", "caption.h"},
    {"detect", "detect.h"},
    {"segment", "segment.h"},
};

struct Selection {
  std::set<std::string> tasks;
  bool tokens = false, ctc = false; // kinds of transcription
  Needs needs;
  std::vector<std::string> models;

  void add(const std::string &path) {
    const Model model(path);
    models.push_back(path);
    const Needs more = needs_of(model);
    needs.ops.insert(more.ops.begin(), more.ops.end());
    needs.kernels.insert(more.kernels.begin(), more.kernels.end());
    const ModelFile &file = model.file();
    if (const auto task = file.find_string("fovea.task")) tasks.emplace(*task);
    for (const std::string_view task :
         file.find_strings("fovea.tasks").value_or(std::vector<std::string_view>()))
      tasks.emplace(task);
    if (file.find_string(kTaskKey) == kTranscribeTask) (file.find_string(kDecoderKey) ? ctc : tokens) = true;
  }
};

std::string without_comments(const std::string &text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool line = text.compare(at, 2, "//") == 0, block = text.compare(at, 2, "/*") == 0;
    if (!line && !block) {
      out += text[at++];
      continue;
    }
    const size_t end = text.find(line ? "\n" : "*/", at);
    at = end == std::string::npos ? text.size() : end + (line ? 0 : 2);
  }
  return out;
}

/// The functions that a header declares: names that begin with fovea_ and end before a parenthesis.
void add_functions(const std::string &path, std::set<std::string> &functions) {
  std::ifstream in(path);
  const std::string text = without_comments({std::istreambuf_iterator<char>(in), {}});
  if (text.empty()) fail(ErrorCode::Io, path, ": cannot be read");
  const auto is_word = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    const std::string word = text.substr(at, end - at);
    if (word.starts_with("fovea_") && end < text.size() && text[end] == '(') functions.insert(word);
    at = std::max(end, at + 1);
  }
}

std::set<std::string> exported(const Selection &selection, const std::string &headers) {
  std::set<std::string> functions;
  for (const Header &header : kHeaders)
    if (!*header.task || selection.tasks.contains(header.task))
      add_functions(headers + "/" + header.name, functions);
  return functions;
}

void write(const std::string &path, const std::string &text) {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary);
  out << text;
  out.close();
  if (!out) fail(ErrorCode::Io, part, ": cannot be written");
  std::filesystem::rename(part, path);
}

void run(const std::string &folder, const std::string &headers, std::span<char *const> models) {
  Selection selection;
  for (const char *path : models) selection.add(path);

  std::string list, ops = "#pragma once\n#include <string_view>\nnamespace fovea {\n"
                          "inline constexpr std::string_view kSelectedOps[] = {\n";
  for (const std::string &path : selection.models) list += concat("model ", path, "\n");
  for (const std::string &task : selection.tasks) list += concat("task ", task, "\n");
  for (const std::string &op : selection.needs.ops) {
    list += concat("op ", op, "\n");
    ops += concat("    \"", op, "\",\n");
  }
  for (const KernelId kernel : selection.needs.kernels) list += concat("kernel ", kernel, "\n");

  std::filesystem::create_directories(folder);
  write(folder + "/selection.txt", list);
  write(folder + "/selected_ops.h", ops + "    \"\",\n};\n} // namespace fovea\n");
  write(folder + "/selected_parts.cpp",
        concat("#include \"base/device_profile.h\"\n#include \"check/make_gate.h\"\n"
               "#include \"tasks/transcription.h\"\nnamespace fovea {\n"
               "std::span<const BuiltinProfile> builtin_profiles() { return {}; }\n"
               "std::shared_ptr<KernelGate> check::make_gate(const DeviceCaps &, const std::string &,\n"
               "                                             const GateOptions &) {\n  return nullptr;\n}\n"
               "TranscriptionKinds transcription_kinds() {\n  return {",
               selection.tokens ? "make_token_transcription" : "nullptr", ", ",
               selection.ctc ? "make_ctc_transcription" : "nullptr", "};\n}\n} // namespace fovea\n"));
  std::string map, wanted;
  for (const std::string &name : exported(selection, headers)) {
    map += concat("    ", name, ";\n");
    wanted += concat("-u ", name, "\n");
  }
  write(folder + "/symbols.map", "{\n  global:\n" + map + "  local: *;\n};\n");
  write(folder + "/symbols.rsp", wanted);
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: select_parts FOLDER HEADERS MODEL...\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], std::span(argv + 3, argv + argc));
  } catch (const std::exception &e) {
    std::fprintf(stderr, "select_parts: %s\n", e.what());
    return 1;
  }
  return 0;
}
