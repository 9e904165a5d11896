# A tool as a target: a self-contained shared object, made as docs/tool-api.md says. Used in this tree and, installed, by others.
# drtools_tool_target(NAME INCLUDE_DIR SOURCES...)
function(drtools_tool_target name include)
    add_library(${name} SHARED ${ARGN})
    target_include_directories(${name} PRIVATE ${include})
    target_compile_options(${name} PRIVATE
        -ffreestanding -fno-stack-protector -mgeneral-regs-only -fno-asynchronous-unwind-tables -fvisibility=hidden -fno-builtin -fno-sanitize=all -g)
    target_link_options(${name} PRIVATE -nostdlib -fno-sanitize=all -Wl,--hash-style=gnu -Wl,-z,max-page-size=4096)
endfunction()
