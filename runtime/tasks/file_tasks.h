// What a model file is for: its main task (metadata fovea.task), and all of them where it has several
// (fovea.tasks). A function; throws nothing.
#pragma once

#include "exec/model.h"

#include <algorithm>

namespace fovea {

inline bool has_task(const Model &model, std::string_view task) {
  const auto all = model.file().find_strings("fovea.tasks").value_or(std::vector<std::string_view>());
  return model.file().find_string("fovea.task") == task ||
         std::find(all.begin(), all.end(), task) != all.end();
}

} // namespace fovea
