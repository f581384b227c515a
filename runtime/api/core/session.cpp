#include "api/handles.h"

#include "api/core/host_tensors.h"
#include "api/json.h"
#include "tasks/run_graphs.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_session_options kSessionDefaults = {sizeof(fovea_session_options), 0, nullptr, nullptr};
const fovea_run_options kRunDefaults = {
    sizeof(fovea_run_options), nullptr, nullptr, 0, 0, nullptr, 0, nullptr, 0};

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
    RunRequest request;
    if (given.n_offers) require(given.offers, "offers");
    if (given.graph) request.graph = given.graph;
    for (size_t i = 0; i < given.n_offers; ++i)
      request.offers.emplace_back(require(given.offers[i], "offers[]"));
    request.keep_state = given.keep_state != 0;
    request.control.cancel = flag(given.cancel);
    request.control.timeout = std::chrono::milliseconds(given.timeout_ms);
    request.steps = read_steps(given.steps, given.n_steps);
    request.inputs = read_inputs(inputs, n_inputs);
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
