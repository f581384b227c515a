// Timeline: what a queue's commands did to each byte of memory, and which barriers came after: finds accesses
// that nothing orders. Pure, so that it is tested without a device; one thread at a time.
//
// The rules are those of the specification's chapter on synchronization. Commands of one queue count as one
// sequence, over all submits. A barrier orders everything before it in its source stages (or already ordered
// before those) before everything after it in its destination stages, makes the writes among its source
// accesses available, and available writes visible to its destination accesses. A fence that the host waited
// for orders all before it before all after it, and makes it visible to the device; the host sees only what a
// barrier made visible to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <vulkan/vulkan_core.h>

namespace fovea::layer {

/// An access of one command to bytes of an allocation.
struct Access {
  VkDeviceMemory memory = VK_NULL_HANDLE;
  uint64_t begin = 0, end = 0;
  VkPipelineStageFlags stage = 0; // one
  VkAccessFlags access = 0;       // one
  const char *what = "";          // "binding 2"; a literal
  uint32_t slot = 0;
  bool writes() const {
    return access & (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT);
  }
};

/// Which command: for reports, and for fences.
struct Command {
  uint64_t submit = 0; // counted over the queue
  uint32_t index = 0;  // within the submit
  const char *kind = "";
};

class Timeline {
public:
  /// A command with all its accesses. What is wrong with it, each a line.
  std::vector<std::string> run(const Command &command, const std::vector<Access> &accesses);
  void barrier(VkPipelineStageFlags from, VkAccessFlags from_access, VkPipelineStageFlags to,
               VkAccessFlags to_access);
  /// The host has waited for this submit, and so for those before it.
  void waited(uint64_t submit);
  /// Writes of the device to these bytes that the host may not read yet; with `finished`, only those that it
  /// has waited for, and that nothing made visible to it.
  std::vector<std::string> host_reads(VkDeviceMemory memory, uint64_t begin, uint64_t end,
                                      bool finished = false) const;
  /// The device's accesses to these bytes that may still be under way.
  std::vector<std::string> host_writes(VkDeviceMemory memory, uint64_t begin, uint64_t end) const;
  void forget(VkDeviceMemory memory) { memories_.erase(memory); }

private:
  struct Past {
    Command command;
    VkPipelineStageFlags stage = 0;
    VkPipelineStageFlags ordered = 0; // stages that come after it
    const char *what = "";
    uint32_t slot = 0;
    bool finished = false; // the host has waited for it
  };
  struct Write : Past {
    VkAccessFlags access = 0;
    bool available = false;
    VkAccessFlags visible = 0;
  };
  struct Span {
    uint64_t end = 0;
    std::optional<Write> write;
    std::vector<Past> reads; // since the write; the last of each stage
  };
  using Spans = std::map<uint64_t, Span>; // by first byte, without gaps between those known

  void check(const Command &command, const Access &access, const Span &span, uint64_t begin,
             std::vector<std::string> &out) const;
  /// Cuts spans so that [begin, end) is whole ones, and calls with each.
  template <class Visit> void each(VkDeviceMemory memory, uint64_t begin, uint64_t end, Visit &&visit);
  template <class Visit> void all(Visit &&visit);
  /// Calls with the known spans of [begin, end), as they are.
  template <class Visit> void known(VkDeviceMemory memory, uint64_t begin, uint64_t end, Visit &&visit) const;

  std::map<VkDeviceMemory, Spans> memories_;
};

} // namespace fovea::layer
