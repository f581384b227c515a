// What a model file is for: its main task (metadata fovea.task), and all of them where it has several
// (fovea.tasks). Functions, pure.
#pragma once

#include "base/error.h"
#include "exec/model.h"

#include <algorithm>

namespace fovea {

inline bool has_task(const Model &model, std::string_view task) {
  const auto all = model.file().find_strings("fovea.tasks").value_or(std::vector<std::string_view>());
  return model.file().find_string("fovea.task") == task ||
         std::find(all.begin(), all.end(), task) != all.end();
}

/// Error Unsupported when the file has no task because what it was made from lacked a part of it.
inline void check_task_complete(const ModelFile &file) {
  if (const auto missing = file.find_string("fovea.task.missing"); missing && !file.find_string("fovea.task"))
    fail(ErrorCode::Unsupported, file.path(), ": was converted without a ", *missing,
         ", so it can only be run as graphs; `fovea convert` says what it looked for");
}

} // namespace fovea
