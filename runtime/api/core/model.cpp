#include "api/handles.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_model_options kModelDefaults = {sizeof(fovea_model_options), 1};

/// One element of a metadata value, whole, as text.
std::string element_text(const MetaValue &value, std::string_view key, uint64_t element) {
  if (element >= value.count)
    fail(ErrorCode::InvalidArgument, "metadata '", key, "' has ", value.count, " elements, asked for number ",
         element);
  if (value.type == GgufType::String) return std::string(*value.as<std::string_view>());
  if (value.type != GgufType::Array) return to_text(value);
  if (value.element_type == GgufType::String)
    return std::string(value.as<std::vector<std::string_view>>()->at(element));
  const uint64_t size = size_bytes(value.element_type);
  return to_text(MetaValue{value.element_type, GgufType::U8, 1, value.payload.subspan(element * size, size)});
}

/// Every symbol that graphs of the model use, as 1.
Bindings ones(const Model &model) {
  Bindings bindings;
  for (const Graph &g : model.graphs())
    for (const ValueInfo &v : g.values())
      for (const Dim &d : v.dims)
        if (!d.symbol.empty()) bindings[d.symbol] = 1;
  return bindings;
}

std::string plan_text(const Model &model, const DeviceCaps &caps, const Graph &graph, Bindings bindings) {
  std::vector<const Graph *> graphs;
  for (const Graph &g : model.graphs()) graphs.push_back(&g);
  return naming(model, [&] {
    const StateLayout states = StateLayout::of(graphs, bindings);
    return dump_plan(make_plan(
        graph, bindings, [&](const std::string &name) { return model.find_weight(name); }, states, caps));
  });
}

} // namespace

fovea_model::fovea_model(const char *path, const ModelOptions &options)
    : model(Model::open(require(path, "path"), options)) {
  const ModelFile &file = model->file();
  task = file.find_string("fovea.task").value_or("");
  strings.reserve(file.metadata().size() * 2 + file.tensors().size()); // never grows: infos point into it
  const auto keep = [&](std::string text) { return strings.emplace_back(std::move(text)).c_str(); };
  for (const MetaEntry &e : file.metadata())
    metadata.push_back({sizeof(fovea_metadata), keep(std::string(e.key)), to_string(e.value.type),
                        e.value.count, keep(to_text(e.value))});
  for (const TensorInfo &t : file.tensors()) {
    fovea_tensor_info info{
        sizeof info, keep(std::string(t.name)), to_string(t.type.encoding), uint32_t(t.type.shape.rank()),
        {},          t.bytes + t.scale_bytes};
    std::copy(t.type.shape.dims().begin(), t.type.shape.dims().end(), info.shape);
    tensors.push_back(info);
  }
  for (const std::string_view name : file.graph_names()) graphs.emplace_back(name, file.graph_text(name));
}

std::shared_ptr<const DeviceWeights> fovea_model::weights(const fovea_device &device,
                                                          fovea_progress_fn progress, void *user) const {
  const std::lock_guard lock(mutex_); // a second session waits for the first one's load rather than repeat it
  std::erase_if(loaded_, [](const Loaded &l) { return l.weights.expired(); });
  for (const Loaded &l : loaded_)
    if (l.device.lock() == device.device)
      if (auto known = l.weights.lock()) return known;
  auto made = DeviceWeights::load(device.device, model, WeightPlacement::Automatic,
                                  [&](uint64_t done, uint64_t total) {
                                    report_progress(progress, user, double(done), double(total));
                                    return true;
                                  });
  loaded_.push_back({device.device, made});
  return made;
}

extern "C" {

void fovea_model_options_init(fovea_model_options *options, size_t struct_size) {
  write_struct(options, struct_size, kModelDefaults);
}

fovea_status fovea_model_open(const char *path, const fovea_model_options *options, fovea_model **out) {
  return create(out, [&] {
    const fovea_model_options given = read_struct(options, kModelDefaults, "model options");
    return std::make_unique<fovea_model>(path, ModelOptions{given.verify != 0});
  });
}
void fovea_model_release(fovea_model *model) { delete model; }

fovea_status fovea_model_verify(const fovea_model *model) {
  return guard([&] { require(model, "model")->model->file().verify(); });
}
const char *fovea_model_path(const fovea_model *model) { return model ? model->model->path().c_str() : ""; }
uint64_t fovea_model_file_bytes(const fovea_model *model) {
  return model ? model->model->file().bytes().size() : 0;
}
const char *fovea_model_task(const fovea_model *model) { return model ? model->task.c_str() : ""; }

size_t fovea_model_metadata_count(const fovea_model *model) { return model ? model->metadata.size() : 0; }
const fovea_metadata *fovea_model_metadata(const fovea_model *model, size_t index) {
  return model && index < model->metadata.size() ? &model->metadata[index] : nullptr;
}
fovea_status fovea_model_metadata_text(const fovea_model *model, const char *key, uint64_t element,
                                       char **out) {
  return create_text(out, [&] {
    const ModelFile &file = require(model, "model")->model->file();
    const MetaValue *value = file.find_meta(require(key, "key"));
    if (!value) fail(ErrorCode::NotFound, file.path(), ": no metadata '", key, "'");
    return element_text(*value, key, element);
  });
}

size_t fovea_model_tensor_count(const fovea_model *model) { return model ? model->tensors.size() : 0; }
const fovea_tensor_info *fovea_model_tensor(const fovea_model *model, size_t index) {
  return model && index < model->tensors.size() ? &model->tensors[index] : nullptr;
}

size_t fovea_model_graph_count(const fovea_model *model) { return model ? model->graphs.size() : 0; }
const char *fovea_model_graph_name(const fovea_model *model, size_t index) {
  return model && index < model->graphs.size() ? model->graphs[index].first.c_str() : nullptr;
}
const char *fovea_model_graph_text(const fovea_model *model, const char *name) {
  if (!model || !name) return nullptr;
  for (const auto &[graph, text] : model->graphs)
    if (graph == name) return text.c_str();
  return nullptr;
}

fovea_status fovea_model_plan(const fovea_model *model, const fovea_device *device, const char *graph,
                              const fovea_size *sizes, size_t n_sizes, char **out) {
  return create_text(out, [&] {
    const Model &m = *require(model, "model")->model;
    const Graph &g = m.graph(require(graph, "graph"));
    Bindings bindings = ones(m);
    if (n_sizes) require(sizes, "sizes");
    for (size_t i = 0; i < n_sizes; ++i) {
      const auto known = bindings.find(require(sizes[i].name, "sizes[].name"));
      if (known == bindings.end())
        fail(ErrorCode::NotFound, m.path(), ": no graph has a size called '", sizes[i].name, "'");
      known->second = sizes[i].value;
    }
    return plan_text(m, device ? device->device->caps() : DeviceCaps{}, g, std::move(bindings));
  });
}

} // extern "C"
