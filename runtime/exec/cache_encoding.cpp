#include "exec/cache_encoding.h"

#include <algorithm>
#include <set>

namespace fovea {
namespace {

/// Of the ops that take caches as operands.
bool takes_q8(std::string_view op) { return op.starts_with("attention") || op == "rope_qkv"; }

bool is_state(const Graph &graph, Value v) { return v && graph.value(v).kind == ValueKind::State; }

} // namespace

std::vector<Graph> with_cache_encoding(std::vector<Graph> graphs, Encoding encoding) {
  std::set<std::string> caches;
  for (const Graph &graph : graphs)
    for (const Statement &s : graph.statements()) {
      if (std::string_view(s.op.name()) != "attention") continue;
      const std::vector<Value> from = operands(s.op);
      for (const size_t i : {1, 2})
        if (is_state(graph, from[i])) caches.insert(graph.value(from[i]).name);
    }
  for (Graph &graph : graphs) {
    for (const Statement &s : graph.statements()) {
      if (encoding != Encoding::Q8 || takes_q8(s.op.name())) continue;
      for (const Value v : operands(s.op))
        if (is_state(graph, v) && caches.count(graph.value(v).name))
          fail(ErrorCode::Unsupported, "graph '", graph.name(), "': ", s.op.name(), " reads the cache '",
               graph.value(v).name, "', which it cannot do in ", encoding);
    }
    for (const std::string &name : caches)
      if (const Value v = graph.find(name); is_state(graph, v)) graph.set_encoding(v, encoding);
  }
  return graphs;
}

} // namespace fovea
