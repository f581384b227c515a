# Debian packages of what is installed, made with the preset "packages" (prefix /usr, no search paths in the files):
#   cmake --workflow --preset packages      build/packages/*.deb
#   libfovea0      the shared libraries             libfovea-dev   headers, CMake package, pkg-config files
#   fovea          the tool with its manual page, shell completions and the bundled models
# Each has copyright and changelogs in share/doc. A new Debian revision: cpack -D CPACK_DEBIAN_PACKAGE_RELEASE=2.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fovea)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Fovea authors <fovea@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime development tool)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/runtime/api) # our own libraries: no package has them yet
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

function(package component name section summary)
  string(TOUPPER ${component} c)
  set(CPACK_DEBIAN_${c}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${c}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  string(JOIN "\n" text ${summary} ${ARGN})
  set(CPACK_COMPONENT_${c}_DESCRIPTION "${text}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${c}_DESCRIPTION "${text}" PARENT_SCOPE)
endfunction()
package(runtime libfovea0 libs "runs trained models on Vulkan devices - shared libraries"
        "Fovea runs trained speech, text and vision models, packed into one file each,"
        "as compute shaders on any device that has Vulkan 1.1, software drivers included."
        "Beside the runtime: libraries that read sound and image files, and the converter.")
package(development libfovea-dev libdevel "runs trained models on Vulkan devices - development files"
        "Headers for C99 and C++17, a CMake package and pkg-config files.")
package(tool fovea utils "runs trained models on Vulkan devices - command-line tool"
        "Writes down speech, generates and translates text, embeds, classifies, captions,"
        "detects and segments, converts trained weights, and times them.")
# The loader is opened when a device is wanted; the converter does without.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libvulkan1, mesa-vulkan-drivers | vulkan-icd")

# Each package's folder under share/doc.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/doc)
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian/changelog.in ${CMAKE_BINARY_DIR}/doc/changelog.Debian @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${CMAKE_BINARY_DIR}/doc/changelog COPYONLY)
foreach(file changelog changelog.Debian)
  execute_process(COMMAND gzip -9nc ${CMAKE_BINARY_DIR}/doc/${file} OUTPUT_FILE ${CMAKE_BINARY_DIR}/doc/${file}.gz)
endforeach()
foreach(component runtime development tool)
  string(TOUPPER ${component} c)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/debian/copyright ${CMAKE_BINARY_DIR}/doc/changelog.gz
                ${CMAKE_BINARY_DIR}/doc/changelog.Debian.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${c}_PACKAGE_NAME} COMPONENT ${component})
endforeach()
# Read by cpack itself, when the revision is known.
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/packages_depend.cmake)
include(CPack)
