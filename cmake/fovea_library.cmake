# fovea_precompile(TARGET): with FOVEA_PRECOMPILE, the headers that most sources include, compiled once, with fovea_base: the
# options of all static and shared libraries are alike.
set(FOVEA_STANDARD_HEADERS <algorithm> <chrono> <cmath> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
                           <string_view> <vector>)
function(fovea_precompile target)
  if(FOVEA_PRECOMPILE AND target STREQUAL fovea_base)
    target_precompile_headers(${target} PRIVATE ${FOVEA_STANDARD_HEADERS})
  elseif(FOVEA_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM fovea_base)
  endif()
endfunction()

# fovea_library(NAME DEPS...): the static library fovea_NAME of every .cpp in the current folder's NAME/ (new files
# need no edit here). Includes are written from runtime/ ("base/error.h") or from the repository's root.
function(fovea_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(sources)
    add_library(fovea_${name} STATIC ${sources})
    fovea_precompile(fovea_${name})
    set(scope PUBLIC)
  else()
    add_library(fovea_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(fovea_${name} ${scope} ${PROJECT_SOURCE_DIR}/runtime ${PROJECT_SOURCE_DIR})
  list(TRANSFORM ARGN PREPEND fovea_)
  target_link_libraries(fovea_${name} ${scope} ${ARGN})
endfunction()
