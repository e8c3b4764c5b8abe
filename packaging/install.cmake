# cmake --install: the program, its man pages, sample job files and unit templates, where Debian expects them.
install(TARGETS skytools RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# The man pages come from the program's own tables.
set(man_folder ${CMAKE_CURRENT_BINARY_DIR}/man)
add_custom_command(
  OUTPUT ${man_folder}/skytools.1
  COMMAND skytools man --dir ${man_folder}
  DEPENDS skytools
  COMMENT "Writing the man pages"
  VERBATIM)
add_custom_target(skytools_man DEPENDS ${man_folder}/skytools.1)
install(CODE "execute_process(COMMAND \${CMAKE_COMMAND} --build \"${CMAKE_BINARY_DIR}\" --target skytools_man COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY ${man_folder}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")

# And so do the completions of the shells.
set(completion_folder ${CMAKE_CURRENT_BINARY_DIR}/completion)
install(CODE "
  file(MAKE_DIRECTORY \"${completion_folder}\")
  foreach(shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:skytools>\" completion \${shell}
      OUTPUT_FILE \"${completion_folder}/skytools.\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(FILES ${completion_folder}/skytools.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME skytools)
install(FILES ${completion_folder}/skytools.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _skytools)
install(FILES ${completion_folder}/skytools.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(DIRECTORY ${CMAKE_SOURCE_DIR}/config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/skytools/examples
  FILES_MATCHING PATTERN "*.yaml")
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/skytools)

# Paths in the units follow the prefix of the installation, which may be named as late as then. /usr has its files in /etc.
install(CODE "
  set(BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(SYSCONFDIR \"\${CMAKE_INSTALL_PREFIX}/etc\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(SYSCONFDIR /etc)
  endif()
  file(READ \"${CMAKE_SOURCE_DIR}/packaging/systemd/hardening.conf\" HARDENING)
  foreach(unit skytools-ticker@.service skytools-londiste@.service skytools-cascade@.service skytools-consumer@.service)
    configure_file(\"${CMAKE_SOURCE_DIR}/packaging/systemd/\${unit}\" \"${CMAKE_CURRENT_BINARY_DIR}/units/\${unit}\" @ONLY)
  endforeach()")
install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/units/ DESTINATION lib/systemd/system FILES_MATCHING PATTERN "*.service")
