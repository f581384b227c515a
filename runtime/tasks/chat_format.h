// ChatFormat: how a model's turns of conversation are written: pieces of text for each role, plain data from
// a file's metadata (docs/format.md). What users write stays between them: it is never read as control
// tokens. Values; pure; any thread. read() throws InvalidFile naming the key, render() InvalidArgument for a
// conversation that the model has no form for. Rejected: executing the Jinja templates that models are
// published with (a file would then hold a program).
#pragma once

#include "format/model_file.h"

#include <optional>

namespace fovea {

enum class ChatRole : uint8_t { System, User, Assistant };
/// "system", "user", "assistant". Error InvalidArgument for another.
ChatRole parse_chat_role(std::string_view name);

struct ChatMessage {
  ChatRole role;
  std::string content;
};

/// A stretch of a rendered conversation.
struct ChatPiece {
  std::string text;
  bool is_control = false; // from the format: its special tokens are special; else somebody's words
};

struct ChatFormat {
  std::string name;  // "chatml" …
  std::string begin; // before everything
  struct Turn {
    std::string before, after;
  };
  Turn system, user, assistant;
  std::string reply;                         // after the last turn: what a reply follows
  bool system_in_user = false;               // the system's words go into the first user's turn
  bool trim = false;                         // without white space around contents
  std::optional<std::string> default_system; // where a conversation has no system turn
  std::string drop_thoughts; // earlier replies begin after the last of this; empty: as they are

  /// Nothing when the file has none.
  static std::optional<ChatFormat> read(const ModelFile &file);
  /// Messages in order, the last a user's; then what the reply follows.
  std::vector<ChatPiece> render(const std::vector<ChatMessage> &messages) const;
};

} // namespace fovea
