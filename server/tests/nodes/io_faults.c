/*
 * Fails a chosen write to the database file, or all of them from then on. Loaded into the program with LD_PRELOAD.
 *
 * The file that LATCHKEY_IO_FAULTS names holds three 64-bit numbers, which the test reads and writes while the program
 * runs: how many more calls succeed before one fails (0: none fails), the error to fail with, and whether the calls
 * after it fail as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

struct control {
    _Atomic int64_t countdown;
    _Atomic int64_t error;
    _Atomic int64_t stays;
};

static struct control *control(void) {
    static _Atomic(struct control *) shared;
    struct control *known = atomic_load(&shared);
    if (known) return known;
    const char *path = getenv("LATCHKEY_IO_FAULTS");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return NULL;
    known = mmap(NULL, sizeof *known, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (known == MAP_FAILED) return NULL;
    atomic_store(&shared, known);
    return known;
}

static int belongs_to_database(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    if (!name) return 0;
    return !strcmp(name, "/latchkey.db") || !strcmp(name, "/latchkey.db-wal") || !strcmp(name, "/latchkey.db-shm");
}

/* Whether this call is to fail; sets errno if so. */
static int fails(int fd) {
    struct control *control_block = control();
    if (!control_block || atomic_load(&control_block->countdown) == 0 || !belongs_to_database(fd)) return 0;
    int64_t left = atomic_load(&control_block->countdown);
    if (left > 1) {
        left = atomic_fetch_sub(&control_block->countdown, 1);
        if (left > 1) return 0;
    }
    if (!atomic_load(&control_block->stays)) atomic_store(&control_block->countdown, 0);
    errno = (int)atomic_load(&control_block->error);
    return 1;
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) { return fails(fd) ? -1 : NEXT(write)(fd, data, size); }

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return fails(fd) ? -1 : NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return fails(fd) ? -1 : NEXT(pwrite64)(fd, data, size, at);
}

int fsync(int fd) { return fails(fd) ? -1 : NEXT(fsync)(fd); }

int fdatasync(int fd) { return fails(fd) ? -1 : NEXT(fdatasync)(fd); }

int ftruncate(int fd, off_t size) { return fails(fd) ? -1 : NEXT(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return fails(fd) ? -1 : NEXT(ftruncate64)(fd, size); }
