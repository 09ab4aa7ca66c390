/*
 * Preloaded into pcscd in tests.
 * accept: vpcd leaves Nagle's algorithm on, which with delayed acknowledgements costs 40 ms per APDU.
 * nanosleep: pcscd looks at readers without an event of their own, such as vpcd's, every 400 ms; with LONGEST_SLEEP_MS set, that often.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int accept(int fd, struct sockaddr *address, socklen_t *length) {
  static int (*next)(int, struct sockaddr *, socklen_t *);
  if (!next) next = dlsym(RTLD_NEXT, "accept");
  int accepted = next(fd, address, length), on = 1;
  if (accepted >= 0) setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return accepted;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
  static int (*next)(const struct timespec *, struct timespec *);
  if (!next) next = dlsym(RTLD_NEXT, "nanosleep");
  const char *told = getenv("LONGEST_SLEEP_MS");
  struct timespec longest = {0, (told ? atol(told) : 999) * 1000 * 1000};
  return next(told && wanted->tv_sec == 0 && wanted->tv_nsec > longest.tv_nsec ? &longest : wanted, left);
}
