#include "layer/timeline.h"

#include "base/error.h"

#include <algorithm>

namespace fovea::layer {
namespace {

constexpr VkPipelineStageFlags kIndirect = VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
                               kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                               kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT, kHost = VK_PIPELINE_STAGE_HOST_BIT;
constexpr VkPipelineStageFlags kDevice = kIndirect | kCompute | kTransfer;
constexpr VkAccessFlags kReads = VK_ACCESS_INDIRECT_COMMAND_READ_BIT | VK_ACCESS_UNIFORM_READ_BIT |
                                 VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT |
                                 VK_ACCESS_HOST_READ_BIT;
constexpr VkAccessFlags kWrites =
    VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT;
constexpr VkAccessFlags kOfHost = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT;

/// The accesses that stages make: a barrier's access mask means those only.
VkAccessFlags accesses_of(VkPipelineStageFlags stages) {
  VkAccessFlags out = 0;
  if (stages & kIndirect) out |= VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
  if (stages & kCompute)
    out |= VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_UNIFORM_READ_BIT;
  if (stages & kTransfer) out |= VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  if (stages & kHost) out |= kOfHost;
  return out;
}

VkAccessFlags expand(VkAccessFlags access) {
  if (access & VK_ACCESS_MEMORY_READ_BIT) access |= kReads;
  if (access & VK_ACCESS_MEMORY_WRITE_BIT) access |= kWrites;
  return access;
}

std::string name(const char *kind, uint64_t submit, uint32_t index, const char *what, uint32_t slot) {
  return concat(kind, " ", index, " of submit ", submit, " (", what, " ", slot, ")");
}

} // namespace

template <class Visit>
void Timeline::each(VkDeviceMemory memory, uint64_t begin, uint64_t end, Visit &&visit) {
  Spans &spans = memories_[memory];
  const auto cut = [&](uint64_t at) {
    auto after = spans.upper_bound(at);
    if (after == spans.begin()) return;
    const auto before = std::prev(after);
    if (before->first == at || before->second.end <= at) return;
    Span second = before->second;
    before->second.end = at;
    spans.emplace(at, std::move(second));
  };
  cut(begin);
  cut(end);
  for (uint64_t at = begin; at < end;) {
    auto it = spans.lower_bound(at);
    if (it == spans.end() || it->first != at) {
      const uint64_t stop = it == spans.end() ? end : std::min(end, it->first);
      it = spans.emplace(at, Span{stop, {}, {}}).first;
    }
    visit(at, it->second);
    at = it->second.end;
  }
}

template <class Visit> void Timeline::all(Visit &&visit) {
  for (auto &[memory, spans] : memories_)
    for (auto &[begin, span] : spans) visit(span);
}

template <class Visit>
void Timeline::known(VkDeviceMemory memory, uint64_t begin, uint64_t end, Visit &&visit) const {
  const auto found = memories_.find(memory);
  if (found == memories_.end()) return;
  for (const auto &[at, span] : found->second)
    if (at < end && span.end > begin) visit(at, span);
}

void Timeline::check(const Command &command, const Access &access, const Span &span, uint64_t begin,
                     std::vector<std::string> &out) const {
  const auto say = [&](const char *hazard, const Past &past, const char *why) {
    out.push_back(concat(
        hazard, ": ", name(command.kind, command.submit, command.index, access.what, access.slot), " after ",
        name(past.command.kind, past.command.submit, past.command.index, past.what, past.slot), ", bytes ",
        begin, " to ", span.end, ": ", why));
  };
  const char *const order = "nothing orders them";
  if (span.write) {
    const Write &w = *span.write;
    const char *const hazard = access.writes() ? "write-after-write" : "read-after-write";
    if (!(w.ordered & access.stage))
      say(hazard, w, order);
    else if (!(w.visible & access.access))
      say(hazard, w, "ordered, but what was written is not made visible");
  }
  if (access.writes())
    for (const Past &read : span.reads)
      if (!(read.ordered & access.stage)) say("write-after-read", read, order);
}

std::vector<std::string> Timeline::run(const Command &command, const std::vector<Access> &accesses) {
  std::vector<std::string> wrong;
  for (const Access &a : accesses)
    each(a.memory, a.begin, a.end,
         [&](uint64_t begin, Span &span) { check(command, a, span, begin, wrong); });
  for (const bool writes : {false, true})
    for (const Access &a : accesses) {
      if (a.writes() != writes) continue;
      each(a.memory, a.begin, a.end, [&](uint64_t, Span &span) {
        const Past past{command, a.stage, 0, a.what, a.slot, false};
        if (writes) {
          span.write = Write{past, a.access, false, 0};
          span.reads.clear();
        } else {
          std::erase_if(span.reads, [&](const Past &p) { return p.stage == a.stage; });
          span.reads.push_back(past);
        }
      });
    }
  return wrong;
}

void Timeline::barrier(VkPipelineStageFlags from, VkAccessFlags from_access, VkPipelineStageFlags to,
                       VkAccessFlags to_access) {
  // A stage stands for those before it as a source, for those after it as a destination.
  if (from & (VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT)) from |= kDevice;
  if (to & (VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT)) to |= kDevice;
  const VkAccessFlags writes = expand(from_access) & accesses_of(from);
  const VkAccessFlags seen = expand(to_access) & accesses_of(to);
  if (from & kCompute) from |= kIndirect;
  if (to & kIndirect) to |= kCompute;
  all([&](Span &span) {
    for (Past &read : span.reads)
      if ((read.stage | read.ordered) & from) read.ordered |= to;
    if (!span.write) return;
    Write &w = *span.write;
    if (!((w.stage | w.ordered) & from)) return;
    if ((w.stage & from) && (w.access & writes)) w.available = true;
    if (w.available) w.visible |= seen;
    w.ordered |= to;
  });
}

void Timeline::waited(uint64_t submit) {
  all([&](Span &span) {
    std::erase_if(span.reads, [&](const Past &read) { return read.command.submit <= submit; });
    if (!span.write || span.write->command.submit > submit) return;
    span.write->finished = span.write->available = true;
    span.write->ordered |= kDevice;
    span.write->visible |= kReads & ~kOfHost;
    span.write->visible |= kWrites & ~kOfHost;
  });
}

std::vector<std::string> Timeline::host_reads(VkDeviceMemory memory, uint64_t begin, uint64_t end,
                                              bool finished) const {
  std::vector<std::string> out;
  known(memory, begin, end, [&](uint64_t at, const Span &span) {
    if (!span.write || (finished && !span.write->finished)) return;
    const Write &w = *span.write;
    const char *const why = !w.finished ? "the host has not waited for it"
                            : !(w.visible & VK_ACCESS_HOST_READ_BIT)
                                ? "no barrier makes it visible to the host"
                                : nullptr;
    if (why)
      out.push_back(concat("read-after-write: the host after ",
                           name(w.command.kind, w.command.submit, w.command.index, w.what, w.slot),
                           ", bytes ", at, " to ", span.end, ": ", why));
  });
  return out;
}

std::vector<std::string> Timeline::host_writes(VkDeviceMemory memory, uint64_t begin, uint64_t end) const {
  std::vector<std::string> out;
  known(memory, begin, end, [&](uint64_t at, const Span &span) {
    const auto say = [&](const char *hazard, const Past &past) {
      out.push_back(
          concat(hazard, ": the host while ",
                 name(past.command.kind, past.command.submit, past.command.index, past.what, past.slot),
                 " may be under way, bytes ", at, " to ", span.end));
    };
    for (const Past &read : span.reads) say("write-after-read", read);
    if (span.write && !span.write->finished) say("write-after-write", *span.write);
  });
  return out;
}

} // namespace fovea::layer
