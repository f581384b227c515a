# fovea_select_parts(TARGET MODEL...): links the shared library TARGET, made of the objects and static libraries of the
# whole, of what these models need on any device: their kernels, ops and tasks. runtime/tools/select_parts.cpp says what
# that is, while the library is built. The functions that it exports are all that the linker is asked for, and its own
# objects come first, so that those that they stand for are not taken out of the static libraries.
function(fovea_select_parts target)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}_selection)
  set(models "")
  foreach(model ${ARGN})
    cmake_path(ABSOLUTE_PATH model BASE_DIRECTORY ${PROJECT_SOURCE_DIR} NORMALIZE)
    if(NOT EXISTS ${model})
      message(FATAL_ERROR "FOVEA_KERNELS_FOR: there is no model file ${model}")
    endif()
    list(APPEND models ${model})
  endforeach()
  set(headers ${PROJECT_SOURCE_DIR}/runtime/include/fovea)
  file(GLOB header_files CONFIGURE_DEPENDS ${headers}/*.h)
  set(selected ${folder}/selected_ops.h ${folder}/selected_parts.cpp)
  add_custom_command(
    OUTPUT ${folder}/selection.txt ${selected} ${folder}/symbols.map ${folder}/symbols.rsp
    COMMAND fovea_select_parts ${folder} ${headers} ${models}
    DEPENDS fovea_select_parts ${models} ${header_files}
    COMMENT "Kernels for ${ARGN}"
    VERBATIM)
  get_property(kernels GLOBAL PROPERTY fovea_kernel_outputs)
  add_custom_command(
    OUTPUT ${folder}/packed_kernels.cpp
    COMMAND fovea_pack_kernels ${FOVEA_GENERATED}/spirv ${FOVEA_GENERATED}/kernels/kernel_names.txt
            ${folder}/packed_kernels.cpp ${folder}/selection.txt
    DEPENDS fovea_pack_kernels ${kernels} ${FOVEA_GENERATED}/kernels/kernel_names.txt ${folder}/selection.txt
    COMMENT "Packing kernels for ${ARGN}"
    VERBATIM)
  target_sources(${target} PRIVATE ${selected} ${folder}/packed_kernels.cpp ${PROJECT_SOURCE_DIR}/runtime/ops/registry.cpp)
  target_compile_definitions(${target} PRIVATE FOVEA_SELECTED_OPS="${folder}/selected_ops.h")
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${folder}/symbols.map;${folder}/symbols.rsp")
  target_link_options(${target} PRIVATE -Wl,--version-script=${folder}/symbols.map -Wl,@${folder}/symbols.rsp)
endfunction()
