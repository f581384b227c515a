// What fovea_bench() says, as text for people.
#pragma once

#include <string>

namespace tool {

/// `json`: what fovea_bench() gave, with peak_process_bytes.
std::string bench_table(const std::string &json);

} // namespace tool
