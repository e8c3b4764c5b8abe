#include <fcntl.h>

#include "cmd/dispatch.h"

int main(int argc, char** argv) {
  // A standard descriptor that is closed would be given to the next file or connection opened, and take what is
  // written. Opened the wrong way round it fails as a closed one does.
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  return skytools::cmd::run({argv + 1, argv + argc});
}
