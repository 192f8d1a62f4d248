# What every folder uses: quern_library, quern_program, quern_test, quern_embed, quern_rows.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(QUERN_WERROR "Warnings are errors" ON)
set(QUERN_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (address,undefined or thread)")

add_library(quern_flags INTERFACE)
target_include_directories(quern_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
# -ffp-contract=off: a fused multiply-add here and not there would break equal bits between CPUs and between paths.
target_compile_options(quern_flags INTERFACE -fno-strict-aliasing -fno-omit-frame-pointer -ffp-contract=off
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef
  -Wwrite-strings -Wvla -Wformat=2 -Wnull-dereference -Wno-format-nonliteral $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> -Wno-missing-field-initializers
  -fstack-protector-strong -fPIE -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_compile_definitions(quern_flags INTERFACE _GNU_SOURCE)
target_link_options(quern_flags INTERFACE -pie -Wl,-z,relro,-z,now)
if(QUERN_WERROR)
  target_compile_options(quern_flags INTERFACE -Werror)
endif()
if(QUERN_SANITIZE)
  target_compile_options(quern_flags INTERFACE -fsanitize=${QUERN_SANITIZE} -fno-sanitize-recover=all -g)
  target_link_options(quern_flags INTERFACE -fsanitize=${QUERN_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(quern_flags INTERFACE -D_FORTIFY_SOURCE=2)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

# Tests hand literals to argv-like arrays, and cmocka's assertions do not tell the compiler that they end the function.
add_library(quern_test_flags INTERFACE)
target_compile_options(quern_test_flags INTERFACE -Wno-write-strings -Wno-null-dereference)

# quern_library(NAME SOURCES … LINK …): one static library a folder, and the only libraries it may link.
function(quern_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(quern_${name} STATIC ${arg_SOURCES})
  target_link_libraries(quern_${name} PUBLIC ${arg_LINK} quern_flags)
endfunction()

# quern_program(NAME SOURCES … LINK …): lands in the build folder itself.
function(quern_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} quern_flags)
endfunction()

# quern_test(NAME LABEL l SOURCES … LINK … [TIMEOUT s]): a cmocka program that ctest runs from the source tree's root.
# TIMEOUT is a release build's, and there to end a hang; a sanitizer's build gets tests/CMakeLists.txt's multiple of it.
function(quern_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} quern_test_support PkgConfig::CMOCKA quern_flags quern_test_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${QUERN_SLOWER}")
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "QUERN_BUILD=${CMAKE_BINARY_DIR};QUERN_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()

# quern_embed(OUT.c SYMBOL FILE…): files as `const struct embed_file SYMBOL[]` (base/embed.h).
function(quern_embed out symbol)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${ARGN}" -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake VERBATIM)
endfunction()

# quern_rows(OUT FILE MACRO PREFIX): the source files that the rows MACRO(stem, …) of a .def table name.
function(quern_rows out file macro prefix)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} rows REGEX "^${macro}\\(")
  set(sources "")
  foreach(row IN LISTS rows)
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1" stem "${row}")
    list(APPEND sources ${prefix}${stem}.c)
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()
