#include "api/handles.h"
#include "api/json.h"
#include "fovea/measure.h"

#include "tasks/bench.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_bench_options kBenchDefaults = {
    sizeof(fovea_bench_options), 5, nullptr, nullptr, nullptr, 1, 0, 0, nullptr, 0, nullptr, 0, nullptr, 0};

template <class T> std::vector<T> sizes(const T *values, size_t n, const char *what) {
  if (!values && n) fail(ErrorCode::InvalidArgument, "bench options: ", what, " is NULL");
  return values ? std::vector<T>(values, values + n) : std::vector<T>();
}

void write_time(JsonWriter &json, const KernelTime &time) {
  json.member("time_us", time.median_s * 1e6)
      .member("best_us", time.best_s * 1e6)
      .member("wall_us", time.wall_s * 1e6);
}

void write_kernels(JsonWriter &json, const std::vector<KernelRow> &rows) {
  json.key("kernels").begin_array();
  for (const KernelRow &row : rows) {
    json.begin_object()
        .member("op", row.op())
        .member("statement", row.statement)
        .member("kernel", row.kernel)
        .member("shapes", row.shapes)
        .member("dispatches", row.n_dispatches);
    write_time(json, row.time);
    json.member("flops", row.flops)
        .member("bytes", row.bytes)
        .member("gflop_per_s", row.gflop_per_s())
        .member("gb_per_s", row.gb_per_s())
        .member("bound_us", row.bound_s * 1e6)
        .member("bound_by", row.memory_bound ? "memory" : "arithmetic")
        .member("part_of_bound", row.part_of_bound())
        .member("share", row.share);
    json.key("variants").begin_array();
    for (const KernelAlternative &other : row.alternatives) {
      json.begin_object().member("kernel", other.kernel);
      write_time(json, other.time);
      json.end();
    }
    json.end().end();
  }
  json.end();
}

void write_stage(JsonWriter &json, const BenchStage &stage) {
  json.begin_object()
      .member("name", stage.name)
      .member("median_s", stage.median_s)
      .member("best_s", stage.best_s)
      .member("first_s", stage.first_s)
      .member("cpu_s", stage.cpu_s)
      .member("dispatches", uint64_t(stage.n_dispatches))
      .member("flops", stage.flops)
      .member("weight_bytes", stage.weight_bytes)
      .member("gflop_per_s", stage.gflop_per_s())
      .member("gb_per_s", stage.gb_per_s())
      .member("items", stage.work.n_items)
      .member("unit", stage.work.unit)
      .member("items_per_s", stage.items_per_s());
  json.key("ops").begin_array();
  for (const auto &[op, work] : stage.ops)
    json.begin_object().member("op", op).member("flops", work.flops).member("bytes", work.bytes).end();
  json.end();
  if (!stage.kernels.empty()) write_kernels(json, stage.kernels);
  json.end();
}

void write_bounds(JsonWriter &json, const DeviceBounds &bounds, bool cpu_clock) {
  json.key("bounds")
      .begin_object()
      .member("clock", cpu_clock ? "cpu" : "wall")
      .member("memory_gb_per_s", bounds.memory_bytes_per_s() * 1e-9)
      .member("gflop_per_s", bounds.flops_per_s * 1e-9)
      .member("launch_us", bounds.launch_s * 1e6);
  json.key("bandwidth").begin_array();
  for (const DeviceBounds::Bandwidth &b : bounds.bandwidth)
    json.begin_object()
        .member("working_set_bytes", b.working_set_bytes)
        .member("gb_per_s", b.bytes_per_s * 1e-9)
        .end();
  json.end().end();
}

std::string to_json(const BenchReport &report, const vk::Device &device, const std::string &model_path) {
  JsonWriter json;
  json.begin_object()
      .member("model", model_path)
      .member("device", device.name())
      .member("driver", device.caps().driver_info)
      .member("task", report.task)
      .member("file_bytes", report.file_bytes)
      .member("load_s", report.load_s)
      .member("first_result_s", report.first_result_s)
      .member("weights_imported", report.weights_imported);
  json.key("memory")
      .begin_object()
      .member("weights_bytes", report.memory.weights_bytes)
      .member("state_bytes", report.memory.state_bytes)
      .member("scratch_bytes", report.memory.scratch_bytes)
      .member("io_bytes", report.memory.io_bytes)
      .end();
  if (report.bounds) write_bounds(json, *report.bounds, report.cpu_clock);
  json.key("stages").begin_array();
  for (const BenchStage &stage : report.stages) write_stage(json, stage);
  return json.end().end().text();
}

} // namespace

extern "C" {

void fovea_bench_options_init(fovea_bench_options *options, size_t struct_size) {
  write_struct(options, struct_size, kBenchDefaults);
}

fovea_status fovea_bench(fovea_device *device, const char *model_path, const fovea_bench_options *options,
                         char **out) {
  return create_text(out, [&] {
    require(device, "device");
    const fovea_bench_options given = read_struct(options, kBenchDefaults, "bench options");
    if (given.runs == 0 || given.runs > 10'000)
      fail(ErrorCode::InvalidArgument, "bench options: runs is ", given.runs, ", expected 1 … 10000");
    BenchOptions wanted;
    wanted.n_runs = given.runs;
    wanted.model.verify = given.verify != 0;
    wanted.kernels = given.kernels != 0;
    wanted.variants = given.variants != 0;
    if (wanted.variants && !wanted.kernels)
      fail(ErrorCode::InvalidArgument, "bench options: variants without kernels");
    wanted.prompts = sizes(given.prompts, given.n_prompts, "prompts");
    wanted.caches = sizes(given.caches, given.n_caches, "caches");
    wanted.seconds = sizes(given.seconds, given.n_seconds, "seconds");
    wanted.cancel = flag(given.cancel);
    if (given.on_stage)
      wanted.progress = [&](const std::string &stage) { given.on_stage(given.user, stage.c_str()); };
    const std::string path = require(model_path, "model_path");
    return to_json(bench(device->device, path, wanted), *device->device, path);
  });
}

} // extern "C"
