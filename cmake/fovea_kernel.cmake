# fovea_kernel(NAME SOURCE [DEFINE...])  adds one kernel variant: shaders/SOURCE compiled with the given defines.
# fovea_finish_kernels()                 generates, from all rows, the library fovea_spirv:
#   kernels/kernel_id.h        enum class KernelId, kKernelCount
#   kernels/kernel_names.inc   their names, included by kernels/kernel_name.cpp
#   kernels/packed_kernels.cpp the modules, packed (shaders/pack/pack_kernels.cpp); a source of fovea_kernels
#   kernels/params.h           the push-constant struct of every shader, as C++ (declared once, in the GLSL)
find_program(GLSLANG glslangValidator REQUIRED)
set_property(GLOBAL PROPERTY fovea_kernel_names "")

function(fovea_kernel name source)
  set(output ${FOVEA_GENERATED}/spirv/${name}.spv)
  set(defines "")
  foreach(define ${ARGN})
    list(APPEND defines -D${define})
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${GLSLANG} --quiet --target-env vulkan1.1 -g0 -I${CMAKE_CURRENT_SOURCE_DIR}/include ${defines}
            --depfile ${output}.d -o ${output} ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${output}.d
    COMMENT "SPIR-V ${name}"
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY fovea_kernel_names ${name})
  set_property(GLOBAL APPEND PROPERTY fovea_kernel_outputs ${output})
endfunction()

# A file that is rewritten only where it changes, so that configuring again builds nothing anew.
function(fovea_generate path content)
  file(CONFIGURE OUTPUT ${path} CONTENT "${content}" @ONLY)
endfunction()

function(fovea_finish_kernels)
  get_property(names GLOBAL PROPERTY fovea_kernel_names)
  get_property(outputs GLOBAL PROPERTY fovea_kernel_outputs)
  set(enum "")
  set(quoted "")
  set(lines "")
  foreach(name ${names})
    string(APPEND enum "  ${name},\n")
    string(APPEND quoted "    \"${name}\",\n")
    string(APPEND lines "${name}\n")
  endforeach()
  list(LENGTH names count)
  fovea_generate(${FOVEA_GENERATED}/kernels/kernel_id.h
"// Generated from shaders/CMakeLists.txt.
#pragma once
#include <cstdint>
namespace fovea {
enum class KernelId : uint32_t {
${enum}};
inline constexpr uint32_t kKernelCount = ${count};
} // namespace fovea
")
  fovea_generate(${FOVEA_GENERATED}/kernels/kernel_names.inc
"// Generated from shaders/CMakeLists.txt.
static constexpr const char *kKernelNames[] = {
${quoted}};
")
  fovea_generate(${FOVEA_GENERATED}/kernels/kernel_names.txt "${lines}")
  set(packed ${FOVEA_GENERATED}/kernels/packed_kernels.cpp)
  set_property(GLOBAL PROPERTY fovea_packed_kernels ${packed})
  add_custom_command(
    OUTPUT ${packed}
    COMMAND fovea_pack_kernels ${FOVEA_GENERATED}/spirv ${FOVEA_GENERATED}/kernels/kernel_names.txt ${packed}
    DEPENDS ${outputs} ${FOVEA_GENERATED}/kernels/kernel_names.txt fovea_pack_kernels
    COMMENT "Packing kernels"
    VERBATIM)
  file(GLOB shaders CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.comp ${CMAKE_CURRENT_SOURCE_DIR}/include/*.glsl)
  set(params ${FOVEA_GENERATED}/kernels/params.h)
  add_custom_command(
    OUTPUT ${params}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${params} -P ${PROJECT_SOURCE_DIR}/cmake/push_constants.cmake ${shaders}
    DEPENDS ${shaders} ${PROJECT_SOURCE_DIR}/cmake/push_constants.cmake
    COMMENT "Push-constant structs"
    VERBATIM)
  add_custom_target(fovea_spirv_files DEPENDS ${outputs} ${params} ${packed})
  add_library(fovea_spirv INTERFACE)
  target_include_directories(fovea_spirv INTERFACE ${FOVEA_GENERATED})
  add_dependencies(fovea_spirv fovea_spirv_files)
endfunction()
