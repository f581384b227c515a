# fovea_kernel(NAME SOURCE [DEFINE...])  adds one kernel variant: shaders/SOURCE compiled with the given defines.
# fovea_finish_kernels()                 generates, from all rows, the library fovea_spirv:
#   kernels/kernel_id.h    enum class KernelId, kKernelCount
#   kernels/kernel_table.inc   one {name, words, n_words} row per kernel, included by kernels/catalogue.cpp
#   kernels/params.h       the push-constant struct of every shader, as C++ (declared once, in the GLSL)
find_program(GLSLANG glslangValidator REQUIRED)
set(FOVEA_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/generated)
set_property(GLOBAL PROPERTY fovea_kernel_names "")

function(fovea_kernel name source)
  set(output ${FOVEA_GENERATED}/spirv/${name}.h)
  set(defines "")
  foreach(define ${ARGN})
    list(APPEND defines -D${define})
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${GLSLANG} --quiet --target-env vulkan1.1 -g0 -I${CMAKE_CURRENT_SOURCE_DIR}/include ${defines}
            --depfile ${output}.d --vn k_${name} -o ${output} ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${output}.d
    COMMENT "SPIR-V ${name}"
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY fovea_kernel_names ${name})
  set_property(GLOBAL APPEND PROPERTY fovea_kernel_outputs ${output})
endfunction()

function(fovea_finish_kernels)
  get_property(names GLOBAL PROPERTY fovea_kernel_names)
  get_property(outputs GLOBAL PROPERTY fovea_kernel_outputs)
  set(enum "")
  set(table "")
  set(includes "")
  foreach(name ${names})
    string(APPEND enum "  ${name},\n")
    string(APPEND table "    {\"${name}\", k_${name}, sizeof k_${name} / 4},\n")
    string(APPEND includes "#include \"spirv/${name}.h\"\n")
  endforeach()
  list(LENGTH names count)
  file(CONFIGURE OUTPUT ${FOVEA_GENERATED}/kernels/kernel_id.h CONTENT
"// Generated from shaders/CMakeLists.txt.
#pragma once
#include <cstdint>
namespace fovea {
enum class KernelId : uint32_t {
@enum@};
inline constexpr uint32_t kKernelCount = @count@;
} // namespace fovea
" @ONLY)
  file(CONFIGURE OUTPUT ${FOVEA_GENERATED}/kernels/kernel_table.inc CONTENT
"// Generated from shaders/CMakeLists.txt.
@includes@
static constexpr KernelRow kKernelRows[] = {
@table@};
" @ONLY)
  file(GLOB shaders CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.comp ${CMAKE_CURRENT_SOURCE_DIR}/include/*.glsl)
  set(params ${FOVEA_GENERATED}/kernels/params.h)
  add_custom_command(
    OUTPUT ${params}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${params} -P ${PROJECT_SOURCE_DIR}/cmake/push_constants.cmake ${shaders}
    DEPENDS ${shaders} ${PROJECT_SOURCE_DIR}/cmake/push_constants.cmake
    COMMENT "Push-constant structs"
    VERBATIM)
  add_custom_target(fovea_spirv_files DEPENDS ${outputs} ${params})
  add_library(fovea_spirv INTERFACE)
  target_include_directories(fovea_spirv INTERFACE ${FOVEA_GENERATED})
  add_dependencies(fovea_spirv fovea_spirv_files)
endfunction()
