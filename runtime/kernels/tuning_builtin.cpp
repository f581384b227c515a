#include "kernels/tuning_builtin.h"

#include "kernels/catalogue.h"

#include <algorithm>

namespace fovea {
namespace {

/// A row's sizes are those of a ChoiceKey; a class that lies between `least` and `most` belongs to it.
struct DriverRow {
  uint32_t driver_id;
  KernelId subject;
  std::array<uint32_t, 4> least, most;
  KernelId prefer; // in whichever tile comes first
};

constexpr uint32_t kAny = UINT32_MAX;

/// A strategy before all others, for each encoding of the weights.
#define FOVEA_LINEAR_ROWS(driver, least, most, family, kernel)                                               \
  {driver, KernelId::family##_base_f32, least, most, KernelId::kernel##_f32},                                \
      {driver, KernelId::family##_base_f16, least, most, KernelId::kernel##_f16},                            \
      {driver, KernelId::family##_base_q8, least, most, KernelId::kernel##_q8}, {                            \
    driver, KernelId::family##_base_q4, least, most, KernelId::kernel##_q4                                   \
  }

using Sizes = std::array<uint32_t, 4>;
constexpr Sizes kNone{}, kAll{kAny, kAny, kAny, kAny};
constexpr Sizes kUpTo8Rows{8, kAny, kAny, kAny}, kFrom9Rows{9}, kFrom5Queries{5};

/// The first that is admissible counts.
constexpr DriverRow kRows[] = {
    // Shared memory and barriers are what software drivers take longest for.
    FOVEA_LINEAR_ROWS(kLlvmpipeDriverId, kNone, kUpTo8Rows, linear, linear_vector_stream),
    FOVEA_LINEAR_ROWS(kLlvmpipeDriverId, kNone, kUpTo8Rows, linear, linear_vector_texel),
    FOVEA_LINEAR_ROWS(kLlvmpipeDriverId, kNone, kUpTo8Rows, linear, linear_vector_columns),
    FOVEA_LINEAR_ROWS(kLlvmpipeDriverId, kNone, kUpTo8Rows, linear, linear_vector_subgroup),
    FOVEA_LINEAR_ROWS(kLlvmpipeDriverId, kNone, kUpTo8Rows, linear, linear_base),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kNone, kUpTo8Rows, linear, linear_vector_broadcast),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kNone, kUpTo8Rows, linear, linear_vector_subgroup),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kFrom9Rows, kAll, linear, linear_broadcast),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kNone, kAll, linear, linear_base),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kNone, kAll, conv2d, conv2d_broadcast),
    FOVEA_LINEAR_ROWS(kSwiftShaderDriverId, kNone, kAll, conv2d, conv2d_base),
    {kSwiftShaderDriverId, KernelId::attention_base, kFrom5Queries, kAll, KernelId::attention_subgroup_few},
};

bool belongs(const ChoiceKey &key, const DriverRow &row) {
  for (size_t i = 0; i < key.sizes.size(); ++i)
    if (key.sizes[i] < row.least[i] || key.sizes[i] > row.most[i]) return false;
  return key.subject == row.subject;
}

} // namespace

void order_for_driver(const DeviceCaps &caps, const ChoiceKey &key, std::vector<KernelChoice> &choices) {
  if (caps.profile) return; // what is known of this driver is not of the one pretended
  for (const DriverRow &row : kRows) {
    if (row.driver_id != caps.driver_id || !belongs(key, row)) continue;
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&](const KernelChoice &c) { return c.kernel == row.prefer; });
    if (found != choices.end()) return void(std::rotate(choices.begin(), found, found + 1));
  }
}

} // namespace fovea
