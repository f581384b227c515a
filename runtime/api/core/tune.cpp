#include "api/handles.h"
#include "api/json.h"
#include "fovea/measure.h"

#include "tasks/tune.h"
#include "vk/tuning_file.h"

#include <algorithm>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_tune_options kTuneDefaults = {sizeof(fovea_tune_options), nullptr, nullptr, nullptr, 1, 0};

void write_choice(JsonWriter &json, const MeasuredChoice &choice, const VariantId &preferred) {
  json.begin_object()
      .member("graph", choice.graph)
      .member("statement", choice.statement)
      .member("shapes", choice.shapes)
      .member("dispatches", choice.n_dispatches)
      .member("default", to_string(choice.variants[0].id))
      .member("default_us", choice.default_s * 1e6)
      .member("best", to_string(choice.best().id))
      .member("best_ratio", choice.best().ratio)
      .member("preferred", to_string(preferred));
  json.key("variants").begin_array();
  for (const MeasuredVariant &v : choice.variants) {
    json.begin_object().member("kernel", to_string(v.id));
    if (v.fault.empty())
      json.member("ratio", v.ratio).member("noise", v.noise);
    else
      json.member("fault", v.fault);
    json.end();
  }
  json.end().end();
}

std::string to_json(const Tuner &tuner, const vk::Device &device, const std::string &path, size_t n_rows) {
  JsonWriter json;
  json.begin_object()
      .member("device", device.name())
      .member("driver", device.caps().driver_info)
      .member("table", path)
      .member("rows", uint64_t(n_rows));
  TuningTable found;
  tuner.update(found);
  std::vector<const MeasuredChoice *> choices;
  for (const MeasuredChoice &choice : tuner.choices()) choices.push_back(&choice);
  std::stable_sort(choices.begin(), choices.end(),
                   [](const auto *a, const auto *b) { return a->weight() > b->weight(); });
  json.key("choices").begin_array();
  for (const MeasuredChoice *choice : choices) {
    const auto row = found.rows.find(choice->key);
    const VariantId own = choice->variants[0].id;
    const bool here =
        row != found.rows.end() && std::any_of(choice->variants.begin(), choice->variants.end(),
                                               [&](const MeasuredVariant &v) { return v.id == row->second; });
    write_choice(json, *choice, here ? row->second : own);
  }
  return json.end().end().text();
}

} // namespace

extern "C" {

void fovea_tune_options_init(fovea_tune_options *options, size_t struct_size) {
  write_struct(options, struct_size, kTuneDefaults);
}

fovea_status fovea_tune(fovea_device *device, const char *model_path, const fovea_tune_options *options,
                        char **out) {
  return create_text(out, [&] {
    const auto &opened = require(device, "device")->device;
    const fovea_tune_options given = read_struct(options, kTuneDefaults, "tune options");
    const std::string &folder = opened->cache_folder();
    if (!given.check && folder.empty())
      fail(ErrorCode::InvalidArgument,
           "tune: the device was opened without a cache folder, so there is nowhere to store the table; set "
           "FOVEA_CACHE_DIR, or check");
    TuneRun wanted;
    wanted.model.verify = given.verify != 0;
    wanted.tuner.timer.cancel = flag(given.cancel);
    wanted.tuner.in_use = given.check != 0;
    if (given.on_choice)
      wanted.tuner.progress = [&](const std::string &what, size_t n_done, size_t n_total) {
        given.on_choice(given.user, what.c_str(), double(n_done), double(n_total));
      };
    Tuner tuner(wanted.tuner);
    if (model_path)
      tune_model(tuner, opened, model_path, wanted);
    else
      tune_standard_shapes(tuner, opened, wanted);
    if (given.check) return to_json(tuner, *opened, "", 0);
    const auto stored = vk::load_tuning(folder, opened->caps());
    TuningTable table = stored ? *stored : TuningTable{};
    tuner.update(table);
    const std::string path = vk::save_tuning(folder, opened->caps(), table);
    return to_json(tuner, *opened, path, table.rows.size());
  });
}

fovea_status fovea_tune_clear(fovea_device *device) {
  return guard([&] {
    const auto &opened = require(device, "device")->device;
    vk::clear_tuning(opened->cache_folder(), opened->caps());
  });
}

} // extern "C"
