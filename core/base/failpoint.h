#pragma once

/// Named places where a test can make the program crash, fail, sleep or lose its connection. `SKYTOOLS_FAILPOINTS` in
/// the environment names them: "londiste.before_commit=crash@2;copy.after_data=error". Compiled to nothing in release
/// builds. Actions: crash (SIGKILL to itself), error (throws Error), sleep:MS (interruptible by nothing); `@N` = at the
/// N-th pass.
#ifdef SKYTOOLS_FAILPOINTS
#define SKYTOOLS_FAILPOINT(name) ::skytools::failpoint_hit(name)
namespace skytools {
void failpoint_hit(const char* name);
}
#else
#define SKYTOOLS_FAILPOINT(name) static_cast<void>(0)
#endif
