/* shim.c — preloaded into calloffd: makes the k-th allocation or the k-th system call fail, as the sweep commands.
 *
 * Control: a page of memory shared with sweep.py, from the file that SWEEP_CONTROL names; struct control below is its
 *          layout (sweep.py: CONTROL). Nothing is counted while mode is OFF.
 * Fails:   as the kernel or the C library would: NULL and ENOMEM, or -1 and an errno that fits the call. A call that fails
 *          is not made; close is, since its descriptor is gone whatever it says.
 * Threads: counts are atomic: every thread of the engine takes part.
 */
#undef _FILE_OFFSET_BITS /* mmap and mmap64, fcntl and fcntl64 are names of their own here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, ALLOCATIONS, CALLS };
enum { ERRORS_MAX = 4, EARLY_BYTES = 1024 * 1024 };

struct control {
	_Atomic uint32_t mode, count, fired;
	uint32_t k, for_ever, variant;
	char call[32]; /* what failed last */
};

#define PUBLIC __attribute__((visibility("default")))

static struct control *control;

/* Where a sanitizer is linked in, the log says who asked. */
extern void __sanitizer_print_stack_trace(void) __attribute__((weak));

static void fail_note(const char *call)
{
	if (atomic_fetch_add(&control->fired, 1) > 0)
		return;
	strncpy(control->call, call, sizeof control->call - 1);
	if (__sanitizer_print_stack_trace != NULL)
		__sanitizer_print_stack_trace();
}

static int due(uint32_t mode)
{
	uint32_t n;

	if (control == NULL || atomic_load(&control->mode) != mode)
		return 0;
	n = atomic_fetch_add(&control->count, 1) + 1;
	return n == control->k || (control->for_ever && n > control->k);
}

/* ---- allocations ---- */

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
} real;

/* Before the constructor has run there is no next allocator to ask: a sanitizer's may not even have begun. */
static _Alignas(16) unsigned char early[EARLY_BYTES];
static size_t early_used;
static int started;

static void *early_alloc(size_t size)
{
	void *p = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	if (early_used > sizeof early)
		abort();
	return p;
}

static int is_early(const void *p)
{
	return (uintptr_t)p >= (uintptr_t)early && (uintptr_t)p < (uintptr_t)early + sizeof early;
}

__attribute__((constructor)) static void shim_start(void)
{
	const char *path = getenv("SWEEP_CONTROL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page;

	*(void **)(void *)&real.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)(void *)&real.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)(void *)&real.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)(void *)&real.free = dlsym(RTLD_NEXT, "free");
	*(void **)(void *)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)(void *)&real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)(void *)&real.mmap = dlsym(RTLD_NEXT, "mmap");
	started = 1;
	page = fd >= 0 ? real.mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (page != MAP_FAILED)
		control = page;
}

static int refuse_memory(const char *call)
{
	if (!due(ALLOCATIONS))
		return 0;
	fail_note(call);
	errno = ENOMEM;
	return 1;
}

PUBLIC void *malloc(size_t size)
{
	if (!started)
		return early_alloc(size);
	return refuse_memory("malloc") ? NULL : real.malloc(size);
}

PUBLIC void *calloc(size_t count, size_t size)
{
	if (!started)
		return early_alloc(count * size); /* zero, like all of it */
	return refuse_memory("calloc") ? NULL : real.calloc(count, size);
}

PUBLIC void *realloc(void *p, size_t size)
{
	void *copy;

	if (started && !is_early(p))
		return refuse_memory("realloc") ? NULL : real.realloc(p, size);
	copy = malloc(size);
	if (copy != NULL && p != NULL) {
		size_t most = sizeof early - (size_t)((unsigned char *)p - early);

		memcpy(copy, p, size < most ? size : most);
	}
	return copy;
}

PUBLIC void free(void *p)
{
	if (started && !is_early(p))
		real.free(p);
}

PUBLIC int posix_memalign(void **ret, size_t alignment, size_t size)
{
	return refuse_memory("posix_memalign") ? ENOMEM : real.posix_memalign(ret, alignment, size);
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
	return refuse_memory("aligned_alloc") ? NULL : real.aligned_alloc(alignment, size);
}

PUBLIC void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	if (!started)
		return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
	if ((flags & MAP_ANONYMOUS) != 0 && refuse_memory("mmap"))
		return MAP_FAILED;
	return real.mmap(at, len, protection, flags, fd, offset);
}

PUBLIC void *mmap64(void *at, size_t len, int protection, int flags, int fd, off64_t offset)
{
	return mmap(at, len, protection, flags, fd, offset);
}

/* ---- system calls ---- */

static const int reads[ERRORS_MAX] = {EINTR, EAGAIN, ECONNRESET, EIO};
static const int writes[ERRORS_MAX] = {EINTR, EAGAIN, EPIPE, ENOBUFS};
static const int accepts[ERRORS_MAX] = {EINTR, EMFILE, ECONNABORTED, ENOMEM};
static const int waits[ERRORS_MAX] = {EINTR, EINTR, EINTR, EINTR}; /* with right arguments the kernel says nothing else */
static const int polls[ERRORS_MAX] = {EINTR, ENOMEM, EINTR, ENOMEM};
static const int watches[ERRORS_MAX] = {ENOMEM, ENOSPC, ENOMEM, ENOSPC};
static const int makes[ERRORS_MAX] = {EMFILE, ENFILE, ENOMEM, EMFILE};
static const int connects[ERRORS_MAX] = {EINTR, EAGAIN, ECONNREFUSED, ENOENT};
static const int options[ERRORS_MAX] = {ENOMEM, ENOBUFS, EIO, ENOMEM};
static const int closes[ERRORS_MAX] = {EINTR, EIO, EINTR, EIO};
static const int binds[ERRORS_MAX] = {EADDRINUSE, EACCES, ENOMEM, EADDRINUSE};
static const int randoms[ERRORS_MAX] = {EINTR, EAGAIN, ENOSYS, EINTR};

static int refuse_call(const char *call, const int errors[ERRORS_MAX])
{
	if (!due(CALLS))
		return 0;
	fail_note(call);
	errno = errors[control->variant % ERRORS_MAX];
	return 1;
}

#define CALL(type, name, errors, arguments, ...)                                                                       \
	PUBLIC type name arguments                                                                                     \
	{                                                                                                              \
		static type(*next) arguments;                                                                          \
                                                                                                                       \
		if (next == NULL)                                                                                      \
			*(void **)(void *)&next = dlsym(RTLD_NEXT, #name);                                             \
		return refuse_call(#name, errors) ? (type)-1 : next(__VA_ARGS__);                                      \
	}

CALL(ssize_t, read, reads, (int fd, void *to, size_t len), fd, to, len)
CALL(ssize_t, readv, reads, (int fd, const struct iovec *v, int count), fd, v, count)
CALL(ssize_t, recv, reads, (int fd, void *to, size_t len, int flags), fd, to, len, flags)
CALL(ssize_t, recvmsg, reads, (int fd, struct msghdr *m, int flags), fd, m, flags)
CALL(ssize_t, write, writes, (int fd, const void *from, size_t len), fd, from, len)
CALL(ssize_t, writev, writes, (int fd, const struct iovec *v, int count), fd, v, count)
CALL(ssize_t, send, writes, (int fd, const void *from, size_t len, int flags), fd, from, len, flags)
CALL(ssize_t, sendmsg, writes, (int fd, const struct msghdr *m, int flags), fd, m, flags)
CALL(int, accept4, accepts, (int fd, struct sockaddr *a, socklen_t *len, int flags), fd, a, len, flags)
CALL(int, epoll_create1, makes, (int flags), flags)
CALL(int, epoll_ctl, watches, (int epoll, int what, int fd, struct epoll_event *e), epoll, what, fd, e)
CALL(int, epoll_wait, waits, (int epoll, struct epoll_event *e, int max, int ms), epoll, e, max, ms)
CALL(int, epoll_pwait, waits, (int epoll, struct epoll_event *e, int max, int ms, const sigset_t *mask), epoll, e, max, ms, mask)
CALL(int, poll, polls, (struct pollfd *p, nfds_t count, int ms), p, count, ms)
CALL(int, socket, makes, (int domain, int type, int protocol), domain, type, protocol)
CALL(int, eventfd, makes, (unsigned first, int flags), first, flags)
CALL(int, pipe2, makes, (int fds[2], int flags), fds, flags)
CALL(int, connect, connects, (int fd, const struct sockaddr *a, socklen_t len), fd, a, len)
CALL(int, bind, binds, (int fd, const struct sockaddr *a, socklen_t len), fd, a, len)
CALL(int, listen, binds, (int fd, int backlog), fd, backlog)
CALL(int, getsockopt, options, (int fd, int level, int name, void *to, socklen_t *len), fd, level, name, to, len)
CALL(int, setsockopt, options, (int fd, int level, int name, const void *v, socklen_t len), fd, level, name, v, len)
CALL(ssize_t, getrandom, randoms, (void *to, size_t len, unsigned flags), to, len, flags)

PUBLIC int close(int fd)
{
	static int (*next)(int);
	int result;

	if (next == NULL)
		*(void **)(void *)&next = dlsym(RTLD_NEXT, "close");
	result = next(fd);
	return refuse_call("close", closes) ? -1 : result;
}

/* Their third argument is a number or a pointer: passed on as a long either way. */
#define CALL_OF_THREE(name, request_type)                                                                              \
	PUBLIC int name(int fd, request_type what, ...)                                                                \
	{                                                                                                              \
		static int (*next)(int, request_type, ...);                                                            \
		va_list rest;                                                                                          \
		long argument;                                                                                         \
                                                                                                                       \
		va_start(rest, what);                                                                                  \
		argument = va_arg(rest, long);                                                                         \
		va_end(rest);                                                                                          \
		if (next == NULL)                                                                                      \
			*(void **)(void *)&next = dlsym(RTLD_NEXT, #name);                                             \
		return refuse_call(#name, options) ? -1 : next(fd, what, argument);                                    \
	}

CALL_OF_THREE(fcntl, int)
CALL_OF_THREE(fcntl64, int)
CALL_OF_THREE(ioctl, unsigned long)
