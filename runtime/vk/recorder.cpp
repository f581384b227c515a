#include "vk/recording.h"

#include <algorithm>

namespace fovea::vk {
namespace {

void check_range(const Buffer &buffer, uint64_t offset, uint64_t size_bytes, const char *what) {
  if (!buffer || size_bytes == 0 || offset > buffer.size_bytes() || size_bytes > buffer.size_bytes() - offset)
    fail(ErrorCode::Internal, what, ": bytes ", offset, " + ", size_bytes, " of a buffer of ",
         buffer.size_bytes());
}

void record_barrier(const Context &c, VkCommandBuffer commands, Hazard hazards) {
  constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                 kHost = VK_PIPELINE_STAGE_HOST_BIT,
                                 kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT,
                                 kIndirect = VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
  constexpr VkAccessFlags kShader =
      VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_UNIFORM_READ_BIT;
  constexpr VkAccessFlags kCopies = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  VkPipelineStageFlags from = 0, to = 0;
  auto barrier = structure<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  const auto add = [&](Hazard bit, VkPipelineStageFlags from_stage, VkAccessFlags writes,
                       VkPipelineStageFlags to_stage, VkAccessFlags accesses) {
    if (!contains(hazards, bit)) return;
    from |= from_stage;
    barrier.srcAccessMask |= writes;
    to |= to_stage;
    barrier.dstAccessMask |= accesses;
  };
  constexpr VkPipelineStageFlags kKernels = kCompute | kIndirect;
  constexpr VkAccessFlags kKernelAccess = kShader | VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
  add(Hazard::ComputeToCompute, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kKernels, kKernelAccess);
  add(Hazard::ComputeToHost, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kHost, VK_ACCESS_HOST_READ_BIT);
  add(Hazard::ComputeToTransfer, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kTransfer, kCopies);
  add(Hazard::TransferToCompute, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kKernels, kKernelAccess);
  add(Hazard::TransferToHost, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kHost, VK_ACCESS_HOST_READ_BIT);
  add(Hazard::TransferToTransfer, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kTransfer, kCopies);
  add(Hazard::HostToDevice, kHost, VK_ACCESS_HOST_WRITE_BIT, kKernels | kTransfer,
      kKernelAccess | VK_ACCESS_TRANSFER_READ_BIT);
  if (from) c.fn.CmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

} // namespace

Recorder::Recorder(std::shared_ptr<Context> context, bool timestamps)
    : context_(std::move(context)), timestamps_(timestamps && context_->caps.timestamp_period_ns > 0) {}

void Recorder::dispatch(DispatchCommand command) {
  if (!command.kernel) fail(ErrorCode::Internal, "a dispatch without a kernel");
  command.kernel->check(command.bindings, command.push_constants.size());
  if (command.indirect) {
    check_range(*command.indirect, command.indirect_offset, sizeof(VkDispatchIndirectCommand),
                "indirect grid");
    if (command.indirect_offset % 4)
      fail(ErrorCode::Internal, "indirect grid at offset ", command.indirect_offset);
  } else {
    for (size_t i = 0; i < 3; ++i)
      if (const uint32_t limit = context_->caps.max_workgroup_count[i];
          command.groups[i] > limit || command.base[i] > limit - command.groups[i])
        fail(ErrorCode::Internal, "dispatch of ", to_string(command.kernel->variant()), ": ",
             command.groups[i], " workgroups along ", "xyz"[i], " from ", command.base[i], "; the limit is ",
             limit);
    if (command.base != std::array<uint32_t, 3>{} && !command.kernel->variant().in_pieces)
      fail(ErrorCode::Internal, "dispatch of ", to_string(command.kernel->variant()),
           " from another group than the first");
  }
  std::sort(command.bindings.begin(), command.bindings.end(),
            [](const Binding &a, const Binding &b) { return a.slot < b.slot; });
  commands_.push_back({.kind = Kind::Dispatch, .dispatch = uint32_t(dispatches_.size())});
  dispatches_.push_back(std::move(command));
}

void Recorder::barrier(Hazard hazards) { commands_.push_back({.kind = Kind::Barrier, .hazards = hazards}); }

void Recorder::copy(const Buffer &from, uint64_t from_offset, const Buffer &to, uint64_t to_offset,
                    uint64_t size_bytes) {
  check_range(from, from_offset, size_bytes, "copy from");
  check_range(to, to_offset, size_bytes, "copy to");
  if (to.kind() == MemoryKind::Imported) fail(ErrorCode::Internal, "copy to imported pages");
  commands_.push_back({.kind = Kind::Copy,
                       .from = from.handle(),
                       .to = to.handle(),
                       .region = {from_offset, to_offset, size_bytes}});
}

void Recorder::fill(const Buffer &buffer, uint64_t offset, uint64_t size_bytes, uint32_t value) {
  check_range(buffer, offset, size_bytes, "fill");
  if (offset % 4 || size_bytes % 4) fail(ErrorCode::Internal, "fill of bytes ", offset, " + ", size_bytes);
  if (buffer.kind() == MemoryKind::Imported) fail(ErrorCode::Internal, "fill of imported pages");
  commands_.push_back(
      {.kind = Kind::Fill, .to = buffer.handle(), .region = {0, offset, size_bytes}, .value = value});
}

void Recorder::split() { commands_.push_back({.kind = Kind::Split}); }

void Recorder::record_dispatch(VkCommandBuffer commands, uint32_t index, VkDescriptorSet set,
                               VkQueryPool queries) const {
  const DeviceFunctions &fn = context_->fn;
  const DispatchCommand &command = dispatches_[index];
  const VkPipelineLayout layout = command.kernel->layout();
  fn.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, command.kernel->pipeline());
  fn.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
  if (!command.push_constants.empty())
    fn.CmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                        uint32_t(command.push_constants.size()), command.push_constants.data());
  // Both at the bottom of the pipe: a dispatch's time then runs from the end of what came before it, so that
  // the times of overlapping dispatches add up to the whole.
  if (queries) fn.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries, 2 * index);
  if (command.indirect)
    fn.CmdDispatchIndirect(commands, command.indirect->handle(), command.indirect_offset);
  else if (command.kernel->variant().in_pieces)
    fn.CmdDispatchBase(commands, command.base[0], command.base[1], command.base[2], command.groups[0],
                       command.groups[1], command.groups[2]);
  else
    fn.CmdDispatch(commands, command.groups[0], command.groups[1], command.groups[2]);
  if (queries) fn.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries, 2 * index + 1);
}

Recording Recorder::finish() {
  Context &c = *context_;
  c.require_alive();
  Recording recording;
  recording.context_ = context_;
  recording.n_dispatches_ = uint32_t(dispatches_.size());
  const std::vector<VkDescriptorSet> sets = make_descriptor_sets(recording);
  if (timestamps_ && !dispatches_.empty()) {
    auto info = structure<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = 2 * recording.n_dispatches_;
    VkQueryPool &pool = recording.query_pool_;
    c.check(c.fn.CreateQueryPool(c.device, &info, nullptr, &pool), pool, "vkCreateQueryPool");
  }

  std::vector<std::span<const Command>> parts;
  for (std::span<const Command> rest = commands_;;) {
    const auto cut =
        std::find_if(rest.begin(), rest.end(), [](const Command &x) { return x.kind == Kind::Split; });
    if (cut != rest.begin()) parts.emplace_back(rest.begin(), cut); // an empty part is none
    if (cut == rest.end()) break;
    rest = {cut + 1, rest.end()};
  }
  auto pool_info = structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool_info.queueFamilyIndex = c.physical.queue_family;
  VkCommandPool &pool = recording.command_pool_;
  c.check(c.fn.CreateCommandPool(c.device, &pool_info, nullptr, &pool), pool, "vkCreateCommandPool");
  if (!parts.empty()) {
    auto info = structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    info.commandPool = pool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = uint32_t(parts.size());
    recording.parts_.resize(parts.size());
    c.check(c.fn.AllocateCommandBuffers(c.device, &info, recording.parts_.data()),
            "vkAllocateCommandBuffers");
  }
  for (size_t i = 0; i < parts.size(); ++i) record_part(recording, parts[i], recording.parts_[i], sets);
  dispatches_.clear();
  commands_.clear();
  return recording;
}

void Recorder::record_part(const Recording &recording, std::span<const Command> part,
                           VkCommandBuffer commands, std::span<const VkDescriptorSet> sets) const {
  Context &c = *context_;
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, 0, nullptr};
  c.check(c.fn.BeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
  const auto is_dispatch = [](const Command &x) { return x.kind == Kind::Dispatch; };
  if (recording.query_pool_) {
    const auto first = std::find_if(part.begin(), part.end(), is_dispatch);
    const auto n = std::count_if(part.begin(), part.end(), is_dispatch);
    if (n) c.fn.CmdResetQueryPool(commands, recording.query_pool_, 2 * first->dispatch, 2 * uint32_t(n));
  }
  for (const Command &x : part) {
    switch (x.kind) {
    case Kind::Dispatch:
      record_dispatch(commands, x.dispatch, sets[x.dispatch], recording.query_pool_);
      break;
    case Kind::Barrier: record_barrier(c, commands, x.hazards); break;
    case Kind::Copy: c.fn.CmdCopyBuffer(commands, x.from, x.to, 1, &x.region); break;
    case Kind::Fill: c.fn.CmdFillBuffer(commands, x.to, x.region.dstOffset, x.region.size, x.value); break;
    case Kind::Split: break;
    }
  }
  c.check(c.fn.EndCommandBuffer(commands), "vkEndCommandBuffer");
}

} // namespace fovea::vk
