#include "cmd/dispatch.h"

int main(int argc, char** argv) { return skytools::cmd::run({argv + 1, argv + argc}); }
