/* A disk that is slow to make sure: each fsync and fdatasync takes MICROSECONDS longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void wait_a_little(void) {
  struct timespec span = {0, MICROSECONDS * 1000L};
  nanosleep(&span, 0);
}

int fsync(int handle) {
  int (*really)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_a_little();
  return really(handle);
}

int fdatasync(int handle) {
  int (*really)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_a_little();
  return really(handle);
}
