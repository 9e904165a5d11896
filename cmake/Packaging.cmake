# What is installed beside the programs, and the packages that `cpack` makes of the whole.

if(EXISTS ${CMAKE_SOURCE_DIR}/include/drtools)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/drtools DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(FILES cmake/drtoolsConfig.cmake cmake/AddTool.cmake DESTINATION lib/cmake/drtools)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.json")

set(CPACK_GENERATOR "TGZ;DEB")
set(CPACK_PACKAGE_VENDOR "The drtools authors")
set(CPACK_PACKAGE_CONTACT "The drtools authors <authors@drtools.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES OFF)   # reports name functions of the engine and of tools

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libzydis4.0")   # all else is linked statically
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
