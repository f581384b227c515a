# What works on every sample, byte or word is built fast; what runs once for a model, a plan or a step, small: half the
# size. Sections of their own, so that the linker leaves out what nothing reaches.
set(FOVEA_FAST $<$<CONFIG:Release>:-O2>)
set(FOVEA_SMALL $<$<CONFIG:Release>:-Os>)

# fovea_precompile(TARGET [SMALL]): with FOVEA_PRECOMPILE, the headers that most sources include, compiled once for each of
# the two levels, with the first target of each; the other options of all static and shared libraries are alike.
set(FOVEA_STANDARD_HEADERS <algorithm> <chrono> <cmath> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
                           <string_view> <vector>)
function(fovea_precompile target)
  set(first fovea_base)
  set(level ${FOVEA_FAST})
  if(ARGV1 STREQUAL SMALL)
    set(first fovea_format)
    set(level ${FOVEA_SMALL})
  endif()
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections ${level})
  if(FOVEA_PRECOMPILE AND target STREQUAL first)
    target_precompile_headers(${target} PRIVATE ${FOVEA_STANDARD_HEADERS})
  elseif(FOVEA_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# fovea_library(NAME [SMALL] DEPS...): the static library fovea_NAME of every .cpp in the current folder's NAME/ (new files
# need no edit here). Includes are written from runtime/ ("base/error.h") or from the repository's root.
function(fovea_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(sources)
    add_library(fovea_${name} STATIC ${sources})
    fovea_precompile(fovea_${name} ${ARGV1})
    set(scope PUBLIC)
  else()
    add_library(fovea_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(fovea_${name} ${scope} ${PROJECT_SOURCE_DIR}/runtime ${PROJECT_SOURCE_DIR})
  list(REMOVE_ITEM ARGN SMALL)
  list(TRANSFORM ARGN PREPEND fovea_)
  target_link_libraries(fovea_${name} ${scope} ${ARGN})
endfunction()

# fovea_host_tool(NAME SOURCE...): a program that runs while the rest is built, so on the machine that builds. When
# building for another one, FOVEA_HOST_TOOLS is the folder "tools" of a build for this machine.
function(fovea_host_tool name)
  if(FOVEA_HOST_TOOLS)
    add_executable(${name} IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${FOVEA_HOST_TOOLS}/${name})
  elseif(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(FATAL_ERROR "Building for another machine takes programs that run on this one: build the target fovea_host_tools "
                        "for this one first, then set FOVEA_HOST_TOOLS to its build folder's tools/")
  else()
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
    if(NOT TARGET fovea_host_tools)
      add_custom_target(fovea_host_tools)
    endif()
    add_dependencies(fovea_host_tools ${name})
  endif()
endfunction()
