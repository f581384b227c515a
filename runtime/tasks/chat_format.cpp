#include "tasks/chat_format.h"

namespace fovea {
namespace {

constexpr size_t kMaxPieceBytes = 1 << 16;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

class Renderer {
public:
  explicit Renderer(const ChatFormat &format) : format_(format) {}

  std::vector<ChatPiece> render(const std::vector<ChatMessage> &messages) {
    control(format_.begin);
    size_t first = 0;
    std::optional<std::string> system = format_.default_system;
    if (!messages.empty() && messages[0].role == ChatRole::System) system = messages[first++].content;
    if (system && !format_.system_in_user) turn(format_.system, *system);
    for (size_t i = first; i < messages.size(); ++i) {
      const ChatMessage &m = messages[i];
      const ChatRole expected = (i - first) % 2 == 0 ? ChatRole::User : ChatRole::Assistant;
      if (m.role != expected)
        fail(ErrorCode::InvalidArgument, "message ", i + 1, " is the ", name(m.role), "'s, expected the ",
             name(expected), "'s: after the system's, if any, users and assistants take turns");
      if (m.role == ChatRole::Assistant) {
        turn(format_.assistant, without_thoughts(m.content));
      } else if (i == first && system && format_.system_in_user) {
        control(format_.user.before);
        control(format_.system.before);
        words(*system);
        control(format_.system.after);
        words(m.content);
        control(format_.user.after);
      } else {
        turn(format_.user, m.content);
      }
    }
    if ((messages.size() - first) % 2 == 0)
      fail(ErrorCode::InvalidArgument, "the last message must be the user's: a reply follows it");
    control(format_.reply);
    return std::move(pieces_);
  }

private:
  static const char *name(ChatRole role) {
    static constexpr const char *names[] = {"system", "user", "assistant"};
    return names[size_t(role)];
  }
  std::string_view without_thoughts(std::string_view text) const {
    if (format_.drop_thoughts.empty()) return text;
    const size_t at = text.rfind(format_.drop_thoughts);
    if (at == std::string_view::npos) return text;
    text.remove_prefix(at + format_.drop_thoughts.size());
    text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
    return text;
  }
  void turn(const ChatFormat::Turn &around, std::string_view content) {
    control(around.before);
    words(content);
    control(around.after);
  }
  void control(std::string_view text) { append(text, true); }
  void words(std::string_view text) { append(format_.trim ? trimmed(text) : text, false); }
  void append(std::string_view text, bool is_control) {
    if (text.empty()) return;
    if (pieces_.empty() || pieces_.back().is_control != is_control) pieces_.push_back({{}, is_control});
    pieces_.back().text += text;
  }

  const ChatFormat &format_;
  std::vector<ChatPiece> pieces_;
};

} // namespace

ChatRole parse_chat_role(std::string_view name) {
  if (name == "system") return ChatRole::System;
  if (name == "user") return ChatRole::User;
  if (name == "assistant") return ChatRole::Assistant;
  fail(ErrorCode::InvalidArgument, "a message's role is '", name, "', expected system, user or assistant");
}

std::optional<ChatFormat> ChatFormat::read(const ModelFile &file) {
  const auto name = file.find_string("fovea.chat.format");
  if (!name) return {};
  const auto text = [&](const std::string &key) {
    const std::string_view value = file.find_string("fovea.chat." + key).value_or("");
    if (value.size() > kMaxPieceBytes)
      fail(ErrorCode::InvalidFile, file.path(), ": fovea.chat.", key, " has ", value.size(),
           " bytes, at most ", kMaxPieceBytes, " allowed");
    return std::string(value);
  };
  const auto turn = [&](const std::string &role) {
    return Turn{text(role + ".before"), text(role + ".after")};
  };
  ChatFormat f;
  f.name = *name;
  f.begin = text("begin");
  f.system = turn("system");
  f.user = turn("user");
  f.assistant = turn("assistant");
  f.reply = text("reply");
  f.system_in_user = file.find_bool("fovea.chat.system_in_user").value_or(false);
  f.trim = file.find_bool("fovea.chat.trim").value_or(false);
  if (file.find_string("fovea.chat.system.default")) f.default_system = text("system.default");
  f.drop_thoughts = text("drop_thoughts");
  return f;
}

std::vector<ChatPiece> ChatFormat::render(const std::vector<ChatMessage> &messages) const {
  return Renderer(*this).render(messages);
}

} // namespace fovea
