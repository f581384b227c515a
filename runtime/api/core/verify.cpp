#include "fovea/doctor.h"

#include "api/core/host_tensors.h"
#include "api/core/verdicts.h"
#include "api/handles.h"

#include "tasks/verify.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_verify_options kVerifyDefaults = {
    sizeof(fovea_verify_options), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, 0};

void write_row(JsonWriter &json, const Verified &row) {
  json.begin_object()
      .member("graph", row.graph)
      .member("statement", row.statement)
      .member("op", row.op)
      .member("shapes", row.shapes);
  write_kernels(json, row.kernels);
  write_result(json, row.result);
  json.end();
}

std::string driver_of(const vk::Device &device) {
  return concat(device.caps().driver_name, " ", device.caps().driver_info);
}

std::string to_json(const Verification &found, const vk::Device &device, const vk::Device *against) {
  size_t n_unknown = 0;
  for (const Verified &row : found.rows)
    n_unknown += row.result.outcome == check::CaseResult::Outcome::Unknown;
  JsonWriter json;
  json.begin_object()
      .member("device", device.name())
      .member("driver", driver_of(device))
      .member("against", against ? against->name() : "the reference")
      .member("against_driver", against ? driver_of(*against) : "")
      .member("compared", uint64_t(found.rows.size()))
      .member("wrong", uint64_t(found.at_fault))
      .member("unknown", uint64_t(n_unknown))
      .member("left_out", uint64_t(found.n_left))
      .member("inseparable", uint64_t(found.n_apart))
      .member("inputs_drawn", found.drawn)
      .member("other_kernels", found.others)
      .member("kept", found.kept);
  json.key("rows").begin_array();
  for (const Verified &row : found.rows) write_row(json, row);
  return json.end().end().text();
}

} // namespace

extern "C" {

void fovea_verify_options_init(fovea_verify_options *options, size_t struct_size) {
  write_struct(options, struct_size, kVerifyDefaults);
}

fovea_status fovea_verify(fovea_device *device, const fovea_model *model, const fovea_verify_options *options,
                          const fovea_tensor *inputs, size_t n_inputs, char **out) {
  return create_text(out, [&] {
    const auto &opened = require(device, "device")->device;
    require(model, "model");
    const fovea_verify_options given = read_struct(options, kVerifyDefaults, "verify options");
    VerifyOptions wanted;
    wanted.inputs = read_inputs(inputs, n_inputs);
    wanted.steps = read_steps(given.steps, given.n_steps);
    if (given.graph) wanted.graph = given.graph;
    if (given.against) wanted.against = given.against->device;
    if (given.folder) wanted.folder = given.folder;
    wanted.n_statements = given.n_statements;
    wanted.cancel = flag(given.cancel);
    if (given.on_statement)
      wanted.progress = [&](const std::string &what, size_t n_done, size_t n_total) {
        given.on_statement(given.user, what.c_str(), double(n_done), double(n_total));
      };
    return to_json(verify(opened, model->model, wanted), *opened, wanted.against.get());
  });
}

} // extern "C"
