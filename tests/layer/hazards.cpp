// Duty: what dispatches, copies and fills read and write, and the barriers between them, put to a Timeline at
// each submit.
//
// A dispatch touches the whole of each range that it binds and uses. (A binding may join two ranges: what
// lies between them then counts too, which in no plan known makes a hazard of what is none.) The host reads
// what it has mapped once it has waited, and what it invalidates; what it writes to coherent memory is not
// seen.
#include "layer/hazards.h"

#include "layer/bindings.h"
#include "layer/core.h"

#include <algorithm>
#include <atomic>
#include <set>

namespace fovea::layer {
namespace {

struct Recorded {
  enum class Kind { Access, Barrier } kind = Kind::Access;
  const char *name = "";
  std::vector<Access> accesses;
  VkPipelineStageFlags from = 0, to = 0;
  VkAccessFlags from_access = 0, to_access = 0;
};

struct Commands {
  std::vector<Recorded> recorded;
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
};

struct Hazards {
  std::mutex mutex; // guards everything but the mode
  std::atomic<HazardMode> mode{
      std::string_view(environment("FOVEA_LAYER_HAZARDS")) == "1" ? HazardMode::Report : HazardMode::Off};
  std::map<VkCommandBuffer, Commands> commands;
  std::map<VkQueue, Timeline> timelines;
  std::map<VkFence, std::pair<VkQueue, uint64_t>> fences;
  std::map<VkDeviceMemory, Range> mapped;
  std::set<std::string> said;
  uint64_t n_submits = 0, n_hazards = 0, n_barriers = 0, drop = 0;
  uint64_t n_dispatches = 0, n_accesses = 0;
  bool dry = false;
};

Hazards &hazards() {
  static Hazards &all = *new Hazards; // outlives the application's own statics
  return all;
}

const DeviceFunctions &below(VkDevice device) { return device_of(device).below[kHazards]; }
const DeviceFunctions &below(VkCommandBuffer commands) { return device_of(commands).below[kHazards]; }
bool off() { return hazards().mode == HazardMode::Off; }

// With the mutex held.
void found(const std::vector<std::string> &wrong) {
  Hazards &h = hazards();
  h.n_hazards += wrong.size();
  if (h.mode != HazardMode::Report) return;
  for (const std::string &text : wrong)
    if (h.said.insert(text).second) report(text);
}

VkResult map_memory(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
                    VkMemoryMapFlags flags, void **out) {
  const VkResult result = below(device).MapMemory(device, memory, offset, size, flags, out);
  const std::lock_guard lock(hazards().mutex);
  if (result == VK_SUCCESS)
    hazards().mapped[memory] = {memory, offset, size == VK_WHOLE_SIZE ? UINT64_MAX : offset + size};
  return result;
}

void free_memory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *allocator) {
  {
    const std::lock_guard lock(hazards().mutex);
    hazards().mapped.erase(memory);
    for (auto &[queue, timeline] : hazards().timelines) timeline.forget(memory);
  }
  below(device).FreeMemory(device, memory, allocator);
}

VkResult flush(VkDevice device, uint32_t count, const VkMappedMemoryRange *ranges) {
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    for (uint32_t i = 0; i < count; ++i)
      for (auto &[queue, timeline] : hazards().timelines)
        found(timeline.host_writes(ranges[i].memory, ranges[i].offset, ranges[i].offset + ranges[i].size));
  }
  return below(device).FlushMappedMemoryRanges(device, count, ranges);
}

VkResult invalidate(VkDevice device, uint32_t count, const VkMappedMemoryRange *ranges) {
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    for (uint32_t i = 0; i < count; ++i)
      for (auto &[queue, timeline] : hazards().timelines)
        found(timeline.host_reads(ranges[i].memory, ranges[i].offset, ranges[i].offset + ranges[i].size));
  }
  return below(device).InvalidateMappedMemoryRanges(device, count, ranges);
}

VkResult begin(VkCommandBuffer commands, const VkCommandBufferBeginInfo *info) {
  {
    const std::lock_guard lock(hazards().mutex);
    hazards().commands[commands] = {};
  }
  return below(commands).BeginCommandBuffer(commands, info);
}

void bind_pipeline(VkCommandBuffer commands, VkPipelineBindPoint point, VkPipeline pipeline) {
  {
    const std::lock_guard lock(hazards().mutex);
    hazards().commands[commands].pipeline = pipeline;
  }
  below(commands).CmdBindPipeline(commands, point, pipeline);
}

void bind_sets(VkCommandBuffer commands, VkPipelineBindPoint point, VkPipelineLayout layout, uint32_t first,
               uint32_t count, const VkDescriptorSet *sets, uint32_t n_offsets, const uint32_t *offsets) {
  if (first != 0 || count != 1 || n_offsets != 0)
    report("vkCmdBindDescriptorSets: several sets or dynamic offsets, which the layer does not follow");
  {
    const std::lock_guard lock(hazards().mutex);
    hazards().commands[commands].set = sets[0];
  }
  below(commands).CmdBindDescriptorSets(commands, point, layout, first, count, sets, n_offsets, offsets);
}

// With the mutex held.
Recorded &add(VkCommandBuffer commands, const char *name) {
  auto &all = hazards().commands[commands].recorded;
  all.push_back({});
  all.back().name = name;
  return all.back();
}

void add_access(Recorded &to, const Range &range, VkPipelineStageFlags stage, VkAccessFlags access,
                const char *what, uint32_t slot) {
  to.accesses.push_back({range.memory, range.begin, range.end, stage, access, what, slot});
}

void record_dispatch(VkCommandBuffer commands) {
  if (off()) return;
  Hazards &h = hazards();
  const std::lock_guard lock(h.mutex);
  const Commands &state = h.commands[commands];
  Recorded &to = add(commands, "dispatch");
  ++h.n_dispatches;
  to.accesses = dispatch_accesses(state.pipeline, state.set);
  h.n_accesses += to.accesses.size();
}

void dispatch(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z) {
  record_dispatch(commands);
  below(commands).CmdDispatch(commands, x, y, z);
}

void dispatch_base(VkCommandBuffer commands, uint32_t base_x, uint32_t base_y, uint32_t base_z, uint32_t x,
                   uint32_t y, uint32_t z) {
  record_dispatch(commands);
  below(commands).CmdDispatchBase(commands, base_x, base_y, base_z, x, y, z);
}

void dispatch_indirect(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset) {
  record_dispatch(commands);
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    add_access(hazards().commands[commands].recorded.back(),
               range_of(buffer, offset, sizeof(VkDispatchIndirectCommand)),
               VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT, VK_ACCESS_INDIRECT_COMMAND_READ_BIT, "grid", 0);
  }
  below(commands).CmdDispatchIndirect(commands, buffer, offset);
}

void copy(VkCommandBuffer commands, VkBuffer from, VkBuffer to, uint32_t count, const VkBufferCopy *regions) {
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    Recorded &recorded = add(commands, "copy");
    for (uint32_t i = 0; i < count; ++i) {
      add_access(recorded, range_of(from, regions[i].srcOffset, regions[i].size),
                 VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT, "region", i);
      add_access(recorded, range_of(to, regions[i].dstOffset, regions[i].size),
                 VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, "region", i);
    }
  }
  below(commands).CmdCopyBuffer(commands, from, to, count, regions);
}

void fill(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset, VkDeviceSize size, uint32_t value) {
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    add_access(add(commands, "fill"), range_of(buffer, offset, size), VK_PIPELINE_STAGE_TRANSFER_BIT,
               VK_ACCESS_TRANSFER_WRITE_BIT, "range", 0);
  }
  below(commands).CmdFillBuffer(commands, buffer, offset, size, value);
}

void barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
             VkDependencyFlags flags, uint32_t n_memory, const VkMemoryBarrier *memory, uint32_t n_buffers,
             const VkBufferMemoryBarrier *buffers, uint32_t n_images, const VkImageMemoryBarrier *images) {
  if (n_buffers || n_images) report("barriers of buffers or images, which the layer does not follow");
  if (!off()) {
    const std::lock_guard lock(hazards().mutex);
    if (++hazards().n_barriers == hazards().drop) return;
    VkAccessFlags from_access = 0, to_access = 0;
    for (uint32_t i = 0; i < n_memory; ++i) {
      from_access |= memory[i].srcAccessMask;
      to_access |= memory[i].dstAccessMask;
    }
    Recorded &recorded = add(commands, "barrier");
    recorded.kind = Recorded::Kind::Barrier;
    recorded.from = from, recorded.to = to;
    recorded.from_access = from_access, recorded.to_access = to_access;
  }
  below(commands).CmdPipelineBarrier(commands, from, to, flags, n_memory, memory, n_buffers, buffers,
                                     n_images, images);
}

// With the mutex held.
void play(VkQueue queue, const VkSubmitInfo &info) {
  Hazards &h = hazards();
  Timeline &timeline = h.timelines[queue];
  ++h.n_submits;
  uint32_t index = 0;
  if (info.waitSemaphoreCount || info.signalSemaphoreCount)
    report("semaphores, which the layer does not follow");
  for (uint32_t i = 0; i < info.commandBufferCount; ++i)
    for (const Recorded &r : h.commands[info.pCommandBuffers[i]].recorded) {
      if (r.kind == Recorded::Kind::Barrier)
        timeline.barrier(r.from, r.from_access, r.to, r.to_access);
      else
        found(timeline.run({h.n_submits, index++, r.name}, r.accesses));
    }
}

VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
  const DeviceFunctions &next = device_of(queue).below[kHazards];
  if (off()) return next.QueueSubmit(queue, count, infos, fence);
  bool dry = false;
  {
    const std::lock_guard lock(hazards().mutex);
    for (uint32_t i = 0; i < count; ++i) play(queue, infos[i]);
    if (fence) hazards().fences[fence] = {queue, hazards().n_submits};
    dry = hazards().dry;
  }
  return next.QueueSubmit(queue, dry ? 0 : count, infos, fence);
}

/// The host has waited for all up to here; it may now read what it has mapped.
void waited(VkQueue queue, uint64_t last) {
  Timeline &timeline = hazards().timelines[queue];
  timeline.waited(last);
  for (const auto &[memory, range] : hazards().mapped)
    found(timeline.host_reads(memory, range.begin, range.end, true));
}

VkResult wait(VkDevice device, uint32_t count, const VkFence *fences, VkBool32 all, uint64_t timeout_ns) {
  const VkResult result = below(device).WaitForFences(device, count, fences, all, timeout_ns);
  if (off() || result != VK_SUCCESS) return result;
  if (count != 1) report("several fences in one wait, which the layer does not follow");
  const std::lock_guard lock(hazards().mutex);
  if (const auto found = hazards().fences.find(fences[0]); found != hazards().fences.end())
    waited(found->second.first, found->second.second);
  return result;
}

VkResult wait_idle(VkDevice device) {
  const VkResult result = below(device).DeviceWaitIdle(device);
  if (off() || result != VK_SUCCESS) return result;
  const std::lock_guard lock(hazards().mutex);
  for (auto &[queue, timeline] : hazards().timelines)
    if (&device_of(queue) == &device_of(device)) waited(queue, hazards().n_submits);
  return result;
}

void destroy_device(VkDevice device, const VkAllocationCallbacks *allocator) {
  const Device *const owner = &device_of(device);
  {
    const std::lock_guard lock(hazards().mutex);
    std::erase_if(hazards().timelines, [&](const auto &entry) { return &device_of(entry.first) == owner; });
  }
  below(device).DestroyDevice(device, allocator);
}

} // namespace

void attach_hazards(DeviceFunctions &table) {
  table.MapMemory = map_memory;
  table.FreeMemory = free_memory;
  table.FlushMappedMemoryRanges = flush;
  table.InvalidateMappedMemoryRanges = invalidate;
  table.BeginCommandBuffer = begin;
  table.CmdBindPipeline = bind_pipeline;
  table.CmdBindDescriptorSets = bind_sets;
  table.CmdDispatch = dispatch;
  table.CmdDispatchBase = dispatch_base;
  table.CmdDispatchIndirect = dispatch_indirect;
  table.CmdCopyBuffer = copy;
  table.CmdFillBuffer = fill;
  table.CmdPipelineBarrier = barrier;
  table.QueueSubmit = submit;
  table.WaitForFences = wait;
  table.DeviceWaitIdle = wait_idle;
  table.DestroyDevice = destroy_device;
}

void check_hazards(HazardMode mode, bool dry) {
  const std::lock_guard lock(hazards().mutex);
  hazards().mode = mode;
  hazards().dry = dry;
}

void drop_barrier(uint64_t k) {
  const std::lock_guard lock(hazards().mutex);
  hazards().drop = k == 0 ? 0 : hazards().n_barriers + k;
}

HazardCounts hazard_counts() {
  const std::lock_guard lock(hazards().mutex);
  const Hazards &h = hazards();
  return {h.n_hazards, h.n_barriers, h.n_dispatches, h.n_accesses};
}

void reset_hazards() {
  const std::lock_guard lock(hazards().mutex);
  Hazards &h = hazards();
  h.mode = HazardMode::Off;
  h.dry = false;
  h.n_hazards = h.n_barriers = h.drop = h.n_dispatches = h.n_accesses = 0;
  h.said.clear();
  h.timelines.clear();
}

} // namespace fovea::layer
