/*
 * Preloaded into the agent in tests. The Nth fsync of the journal's WAL in this process (FAIL_FSYNC=N, once) fails with EIO. What was written
 * since the fsync before is gone then, as on a disk whose kernel drops what it could not write, unless KEEP_WRITES is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int fsyncs;
static _Atomic off_t first = -1, end = -1;

static int is_wal(int fd) {
  static const char name[] = "/journal.sqlite-wal";
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  size_t suffix = sizeof name - 1;
  return length >= (ssize_t)suffix && memcmp(path + length - suffix, name, suffix) == 0;
}

static ssize_t write_at(const char *symbol, int fd, const void *bytes, size_t count, off_t at) {
  ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, symbol);
  if (is_wal(fd)) {
    if (first < 0 || at < first) first = at;
    if (at + (off_t)count > end) end = at + (off_t)count;
  }
  return next(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return write_at("pwrite", fd, bytes, count, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) { return write_at("pwrite64", fd, bytes, count, at); }

static int sync_of(const char *symbol, int fd) {
  int (*next)(int) = dlsym(RTLD_NEXT, symbol);
  if (!is_wal(fd)) return next(fd);
  const char *wanted = getenv("FAIL_FSYNC");
  if (!wanted || ++fsyncs != atoi(wanted)) {
    first = end = -1;
    return next(fd);
  }
  if (first >= 0 && !getenv("KEEP_WRITES")) {
    ssize_t (*write_through)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
    static const char nothing[512];
    for (off_t at = first; at < end; at += sizeof nothing) {
      size_t left = (size_t)(end - at);
      write_through(fd, nothing, left < sizeof nothing ? left : sizeof nothing, at);
    }
  }
  /* For the trace: an fsync that was not made is not seen. */
  if (write(-1, "EIO", 3) < 0) errno = EIO;
  return -1;
}

int fsync(int fd) { return sync_of("fsync", fd); }
int fdatasync(int fd) { return sync_of("fdatasync", fd); }
