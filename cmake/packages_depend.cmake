# Run by cpack: packages of one build go together.
set(same "(= ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "libfovea0 ${same}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libfovea0 ${same}")
# Each package has a summary of its own: the first line of its description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
