#include "api/handles.h"

#include "api/json.h"
#include "tasks/run_graphs.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_session_options kSessionDefaults = {sizeof(fovea_session_options), 0, nullptr, nullptr};
const fovea_run_options kRunDefaults = {
    sizeof(fovea_run_options), nullptr, nullptr, 0, 0, nullptr, 0, nullptr, 0};

/// Elements of the caller's tensor; every size is checked before anything is allocated.
uint64_t count_elements(const fovea_tensor &tensor) {
  if (tensor.rank > 4)
    fail(ErrorCode::InvalidArgument, "input '", tensor.name, "' has rank ", tensor.rank, ", at most 4");
  return Shape(std::span(tensor.shape, tensor.rank)).elements();
}

HostTensor to_host(const fovea_tensor &tensor) {
  const uint64_t n = count_elements(tensor);
  if (n > 0) require(tensor.data, "inputs[].data");
  HostTensor host;
  host.type.shape = Shape(std::span(tensor.shape, tensor.rank));
  host.type.encoding = tensor.element == FOVEA_F32 ? Encoding::F32 : Encoding::I32;
  switch (tensor.element) {
  case FOVEA_F32: {
    const auto *values = static_cast<const float *>(tensor.data);
    host.f.assign(values, values + n);
    return host;
  }
  case FOVEA_I32: {
    const auto *values = static_cast<const int32_t *>(tensor.data);
    host.i.assign(values, values + n);
    return host;
  }
  case FOVEA_I64: {
    const auto *values = static_cast<const int64_t *>(tensor.data);
    host.i.resize(n);
    for (uint64_t i = 0; i < n; ++i) {
      host.i[i] = int32_t(values[i]);
      if (host.i[i] != values[i])
        fail(ErrorCode::InvalidArgument, "input '", tensor.name, "': element ", i, " is ", values[i],
             ", which does not fit 32 bits");
    }
    return host;
  }
  case FOVEA_ELEMENT_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "input '", tensor.name, "' has element type ", int(tensor.element),
       ", expected 0 (f32), 1 (i32) or 2 (i64)");
}

} // namespace

struct fovea_session {
  std::shared_ptr<vk::Device> device;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const DeviceWeights> weights;
  bool profile = false;
  Bindings sizes; // of the states of `session`
  std::unique_ptr<Session> session;
  std::string profile_rows; // of the last run

  /// States of other sizes are another Session.
  void make(Bindings wanted) {
    if (session && sizes == wanted) return;
    session.reset(); // before the next one takes memory
    SessionOptions options;
    options.bindings = wanted;
    options.timestamps = profile;
    session = std::make_unique<Session>(device, model, weights, std::move(options));
    sizes = std::move(wanted);
  }
};

struct fovea_results {
  NamedTensors tensors;
  std::vector<fovea_tensor> views;
};

extern "C" {

void fovea_session_options_init(fovea_session_options *options, size_t struct_size) {
  write_struct(options, struct_size, kSessionDefaults);
}
void fovea_run_options_init(fovea_run_options *options, size_t struct_size) {
  write_struct(options, struct_size, kRunDefaults);
}

fovea_status fovea_session_create(fovea_device *device, const fovea_model *model,
                                  const fovea_session_options *options, fovea_session **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_session_options given = read_struct(options, kSessionDefaults, "session options");
    auto handle = std::make_unique<fovea_session>();
    handle->device = device->device;
    handle->model = model->model;
    handle->weights = model->weights(*device, given.progress, given.user);
    handle->profile = given.profile != 0;
    handle->make(session_sizes(*handle->model));
    return handle;
  });
}
void fovea_session_release(fovea_session *session) { delete session; }

fovea_status fovea_session_run(fovea_session *session, const fovea_run_options *options,
                               const fovea_tensor *inputs, size_t n_inputs, fovea_results **out) {
  return create(out, [&] {
    require(session, "session");
    const fovea_run_options given = read_struct(options, kRunDefaults, "run options");
    if (n_inputs) require(inputs, "inputs");
    if (given.n_steps) require(given.steps, "steps");
    RunRequest request;
    if (given.n_offers) require(given.offers, "offers");
    if (given.graph) request.graph = given.graph;
    for (size_t i = 0; i < given.n_offers; ++i)
      request.offers.emplace_back(require(given.offers[i], "offers[]"));
    request.keep_state = given.keep_state != 0;
    request.control.cancel = flag(given.cancel);
    request.control.timeout = std::chrono::milliseconds(given.timeout_ms);
    for (size_t i = 0; i < given.n_steps; ++i) {
      const fovea_size &step = given.steps[i];
      if (step.value > UINT32_MAX)
        fail(ErrorCode::InvalidArgument, "step '", require(step.name, "steps[].name"), "' is ", step.value,
             ", which does not fit 32 bits");
      request.steps[require(step.name, "steps[].name")] = uint32_t(step.value);
    }
    for (size_t i = 0; i < n_inputs; ++i)
      if (!request.inputs.emplace(require(inputs[i].name, "inputs[].name"), to_host(inputs[i])).second)
        fail(ErrorCode::InvalidArgument, "input '", inputs[i].name, "' is given twice");
    JsonWriter rows;
    rows.begin_array();
    if (session->profile)
      request.after_graph = [&](const Program &program) {
        for (const DispatchProfile &row : program.profile())
          rows.begin_object()
              .member("graph", program.plan().graph)
              .member("statement", row.statement)
              .member("kernel", row.kernel)
              .member("time_us", row.gpu_time_ns / 1e3)
              .member("flops", row.flops)
              .member("bytes", row.bytes)
              .end();
      };
    auto results = std::make_unique<fovea_results>();
    session->make(session_sizes(*session->model, request));
    results->tensors = run_model(*session->session, request);
    session->profile_rows = rows.end().text();
    for (const auto &[name, tensor] : results->tensors) {
      const bool is_integer = tensor.type.encoding == Encoding::I32;
      fovea_tensor view{name.c_str(),
                        is_integer ? FOVEA_I32 : FOVEA_F32,
                        uint32_t(tensor.type.shape.rank()),
                        {},
                        is_integer ? static_cast<const void *>(tensor.i.data()) : tensor.f.data()};
      std::copy(tensor.type.shape.dims().begin(), tensor.type.shape.dims().end(), view.shape);
      results->views.push_back(view);
    }
    return results;
  });
}
size_t fovea_results_count(const fovea_results *results) { return results ? results->views.size() : 0; }
const fovea_tensor *fovea_results_get(const fovea_results *results, size_t index) {
  return results && index < results->views.size() ? &results->views[index] : nullptr;
}
void fovea_results_release(fovea_results *results) { delete results; }

fovea_status fovea_session_memory(const fovea_session *session, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(session, "session")->session->memory()); });
}
fovea_status fovea_session_profile(const fovea_session *session, char **out) {
  return create_text(out, [&] {
    require(session, "session");
    if (!session->profile)
      fail(ErrorCode::Unsupported, "no profile: the session was not made with profile = 1");
    if (session->device->caps().timestamp_period_ns <= 0)
      fail(ErrorCode::Unsupported, "no profile: ", session->device->name(), " has no timestamps");
    return session->profile_rows.empty() ? std::string("[]") : session->profile_rows;
  });
}

} // extern "C"
