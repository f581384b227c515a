#include "layer/interface.h"

#include "layer/cache_data.h"
#include "layer/calls.h"
#include "layer/core.h"
#include "layer/fences.h"
#include "layer/hazards.h"
#include "layer/memory.h"
#include "layer/modules.h"
#include "layer/objects.h"
#include "layer/profile.h"
#include "layer/reports.h"
#include "layer/work.h"

#include <vulkan/vk_layer.h>

namespace fovea::layer {
namespace {

void reset() {
  reset_calls();
  reset_fences();
  reset_cache_data();
  reset_hazards();
  reset_memory();
  reset_modules();
  reset_profile();
  reset_work();
}

constexpr Interface kInterface = {
    .reset = reset,
    .n_functions = n_functions,
    .function = function,
    .fail = fail_call,
    .n_failed = n_failed,
    .live_objects = live_objects,
    .live_bytes = live_bytes,
    .forget_live = forget_live,
    .n_reports = n_reports,
    .report = report_text,
    .delay_fences = delay_fences,
    .damage_cache = damage_cache,
    .check_hazards = check_hazards,
    .hazard_counts = hazard_counts,
    .drop_barrier = drop_barrier,
    .set_memory = set_memory,
    .miscompile = miscompile,
    .set_profile = set_profile,
    .n_limit_checks = n_limit_checks,
    .measure_work = measure_work,
    .work_counts = work_counts,
};

} // namespace
} // namespace fovea::layer

extern "C" VK_LAYER_EXPORT const fovea::layer::Interface *fovea_test_layer() {
  return &fovea::layer::kInterface;
}
