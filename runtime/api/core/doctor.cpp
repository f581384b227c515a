#include "fovea/doctor.h"

#include "api/core/verdicts.h"
#include "api/handles.h"

#include "tasks/doctor.h"
#include "vk/pipeline_cache.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_doctor_options kDoctorDefaults = {sizeof(fovea_doctor_options), nullptr, nullptr, nullptr, 1, 0};

void write_row(JsonWriter &json, const Examined &row) {
  json.begin_object();
  write_kernels(json, row.variants);
  json.member("statement", row.statement).member("shapes", row.shapes).member("preferred", row.preferred);
  write_result(json, row.result);
  json.member("us", row.result.seconds * 1e6).end();
}

std::string to_json(const Examination &found, const vk::Device &device, const std::string &path) {
  JsonWriter json;
  const DeviceCaps &caps = device.caps();
  json.begin_object()
      .member("device", device.name())
      .member("driver", concat(caps.driver_name, " ", caps.driver_info))
      .member("vendor_id", uint64_t(caps.vendor_id))
      .member("device_id", uint64_t(caps.device_id))
      .member("driver_version", uint64_t(caps.driver_version))
      .member("subgroup_size", uint64_t(caps.subgroup_size))
      .member("key", hex(vk::device_key(device.context()->physical.info.caps)))
      .member("verdicts", path)
      .member("tried", uint64_t(found.rows.size()))
      .member("wrong", uint64_t(found.n_wrong))
      .member("unknown", uint64_t(found.n_unknown));
  json.key("rows").begin_array();
  for (const Examined &row : found.rows) write_row(json, row);
  return json.end().end().text();
}

/// The device's own, or one for this call where kernels are not tried otherwise.
std::shared_ptr<check::Gate> gate_of(const vk::Device &device) {
  if (auto own = std::dynamic_pointer_cast<check::Gate>(device.gate())) return own;
  return std::make_shared<check::Gate>(device.context()->physical.info.caps, device.cache_folder(),
                                       check::GateOptions{});
}

} // namespace

extern "C" {

void fovea_doctor_options_init(fovea_doctor_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDoctorDefaults);
}

fovea_status fovea_doctor(fovea_device *device, const char *model_path, const fovea_doctor_options *options,
                          char **out) {
  return create_text(out, [&] {
    const auto &opened = require(device, "device")->device;
    const fovea_doctor_options given = read_struct(options, kDoctorDefaults, "doctor options");
    DoctorOptions wanted;
    wanted.model.verify = given.verify != 0;
    wanted.quick = given.quick != 0;
    wanted.cancel = flag(given.cancel);
    if (given.on_kernel)
      wanted.progress = [&](const std::string &what, size_t n_done, size_t n_total) {
        given.on_kernel(given.user, what.c_str(), double(n_done), double(n_total));
      };
    const auto gate = gate_of(*opened);
    const Examination found = examine(opened, *gate, model_path ? model_path : "", wanted);
    return to_json(found, *opened, gate->verdicts().path());
  });
}

int fovea_check_serve(int in, int out) { return check::serve(in, out); }

fovea_status fovea_doctor_clear(fovea_device *device) {
  return guard([&] {
    const auto &opened = require(device, "device")->device;
    gate_of(*opened)->verdicts().clear();
  });
}

} // extern "C"
