#include "vk/recording.h"

namespace fovea::vk {

Recording::~Recording() {
  if (!context_ || !context_->may_destroy()) return;
  const Context &c = *context_;
  for (VkBufferView view : views_) c.fn.DestroyBufferView(c.device, view, nullptr);
  c.fn.DestroyQueryPool(c.device, query_pool_, nullptr);
  c.fn.DestroyDescriptorPool(c.device, descriptor_pool_, nullptr);
  c.fn.DestroyCommandPool(c.device, command_pool_, nullptr);
}

void Recording::swap(Recording &other) noexcept {
  std::swap(context_, other.context_);
  std::swap(command_pool_, other.command_pool_);
  std::swap(descriptor_pool_, other.descriptor_pool_);
  std::swap(query_pool_, other.query_pool_);
  std::swap(views_, other.views_);
  std::swap(parts_, other.parts_);
  std::swap(n_dispatches_, other.n_dispatches_);
}

void Recording::read_times(uint32_t first, std::span<DispatchTime> out) const {
  if (!query_pool_) fail(ErrorCode::Unsupported, "this recording has no timestamps");
  if (first > n_dispatches_ || out.size() > n_dispatches_ - first)
    fail(ErrorCode::Internal, "times of dispatches ", first, " + ", out.size(), " of ", n_dispatches_);
  if (out.empty()) return;
  Context &c = *context_;
  std::vector<uint64_t> ticks(2 * out.size());
  const VkResult result = c.fn.GetQueryPoolResults(c.device, query_pool_, 2 * first, uint32_t(ticks.size()),
                                                   ticks.size() * sizeof(uint64_t), ticks.data(),
                                                   sizeof(uint64_t), VK_QUERY_RESULT_64_BIT);
  if (result == VK_NOT_READY) fail(ErrorCode::Internal, "the times of dispatches that have not run");
  c.check(result, "vkGetQueryPoolResults");
  const uint32_t bits = c.physical.timestamp_valid_bits;
  const uint64_t mask = bits >= 64 ? UINT64_MAX : (uint64_t(1) << bits) - 1;
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t begin = ticks[2 * i] & mask;
    const uint64_t duration =
        (ticks[2 * i + 1] - begin) & mask; // also right when the counter wraps in between
    out[i].begin_ns = double(begin) * c.caps.timestamp_period_ns;
    out[i].end_ns = out[i].begin_ns + double(duration) * c.caps.timestamp_period_ns;
  }
}

} // namespace fovea::vk
