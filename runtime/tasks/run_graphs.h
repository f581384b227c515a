// One pass through a model's graphs, by tensor names: what `fovea run` and comparisons with a reference are
// made of. Functions over a Session; one thread at a time, as the Session. Throws InvalidArgument (an input
// that nothing provides, that no graph takes, or whose shape does not fit; the message lists what the model
// takes), NotFound, and what Session::run throws.
#pragma once

#include "exec/session.h"

namespace fovea {

using NamedTensors = std::map<std::string, HostTensor>;

struct RunRequest {
  NamedTensors inputs; // by input name; f32 or i32 (f16 inputs of a graph take f32 values, rounded)
  std::string graph;   // run only this one; empty: those of metadata `fovea.run.graphs`, in order
  std::vector<std::string> offers;       // offered outputs to compute as well; `*` stands for any characters
  std::map<std::string, uint32_t> steps; // values of `step` declarations; 0 unless given
  bool keep_state = false;               // states go on from the last run; else they are zero
  RunControl control;
  std::function<void(const Program &)> after_graph; // e.g. to read its profile
  /// In place of Session::run(), for measuring: must run the program once or more.
  std::function<void(const std::string &graph, Program &)> run;
};

/// Symbols are bound by the inputs' shapes; a leading dimension of 1 may be missing or too many. Those that
/// shape states must be what the session was made with: session_sizes(). An input with a fallback may be left
/// out. Without `graph`, a graph is
/// left out when all of its outputs are among the inputs. Outputs of a graph feed later ones by name. Returns
/// every declared output of the graphs that ran, and of those that they offer the ones asked for.
NamedTensors run_model(Session &session, const RunRequest &request);

/// The sizes of states that `request` needs, for SessionOptions::bindings: what the inputs say, else the
/// file's `fovea.size.SYMBOL`, else 1.
Bindings session_sizes(const Model &model, const RunRequest &request = {});

/// The graphs that `request` runs, in order.
std::vector<const Graph *> graphs_to_run(const Model &model, const RunRequest &request);

/// The graphs that `request` runs, in order, and each input they take that no earlier one gives: "samples f32
/// [N]".
std::vector<std::string> inputs_of(const Model &model, const std::string &graph = "");

} // namespace fovea
