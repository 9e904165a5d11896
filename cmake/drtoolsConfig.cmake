# find_package(drtools): drtools_add_tool(NAME SOURCES...) makes libNAME.so, for `drrun -t ./libNAME.so -- APP`.
get_filename_component(DRTOOLS_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(DRTOOLS_INCLUDE_DIR "${DRTOOLS_PREFIX}/include")
set(DRTOOLS_DRRUN "${DRTOOLS_PREFIX}/bin/drrun")
include("${CMAKE_CURRENT_LIST_DIR}/AddTool.cmake")

# NOT_INSTALLED, as in drtools' own tree, says nothing here: installing is up to the project.
function(drtools_add_tool name)
    cmake_parse_arguments(TOOL NOT_INSTALLED "" "" ${ARGN})
    drtools_tool_target(${name} ${DRTOOLS_INCLUDE_DIR} ${TOOL_UNPARSED_ARGUMENTS})
endfunction()
