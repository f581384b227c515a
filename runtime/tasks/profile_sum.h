// ProfileSum: GPU times of every dispatch of many runs, summed. One thread. Nothing throws but
// std::bad_alloc.
#pragma once

#include "exec/program.h"
#include "tasks/profile_row.h"

#include <map>

namespace fovea {

class ProfileSum {
public:
  /// The last run of a program made with timestamps.
  void add(const Program &program);
  /// Most time first.
  std::vector<ProfileRow> rows() const;

private:
  std::map<std::pair<std::string, size_t>, ProfileRow> rows_; // by graph and dispatch
};

} // namespace fovea
