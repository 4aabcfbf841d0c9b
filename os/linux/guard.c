#include "os/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "os/linux/fail.h"

/* Where a fault of this thread goes on; NULL outside a guarded run. */
static _Thread_local sigjmp_buf *volatile active;

/* A handler of signals may wait for nobody, so there are no locks: a place is taken by its first word. */
static struct {
	_Atomic uintptr_t start; /* 0: free */
	_Atomic size_t bytes;    /* 0: not lent yet */
	atomic_bool *_Atomic faulted;
} lent[OS_GUARD_MAPS];

bool os_guard_lend(const void *start, size_t bytes, atomic_bool *faulted)
{
	for (size_t i = 0; i < OS_GUARD_MAPS; i++) {
		uintptr_t none = 0;
		if (!atomic_compare_exchange_strong(&lent[i].start, &none, (uintptr_t)start))
			continue;
		atomic_store(&lent[i].faulted, faulted);
		atomic_store(&lent[i].bytes, bytes);
		return true;
	}
	return false;
}

void os_guard_take_back(const void *start)
{
	for (size_t i = 0; i < OS_GUARD_MAPS; i++) {
		if (atomic_load(&lent[i].start) != (uintptr_t)start)
			continue;
		atomic_store(&lent[i].bytes, 0);
		atomic_store(&lent[i].start, 0);
		return;
	}
}

/* Zeros in place of the page at `address`, if it is of a map that was lent. */
static bool replace_page(uintptr_t address)
{
	uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE), page = address & ~(page_bytes - 1);
	for (size_t i = 0; i < OS_GUARD_MAPS; i++) {
		uintptr_t start = atomic_load(&lent[i].start);
		if (start == 0 || address < start || address - start >= atomic_load(&lent[i].bytes))
			continue;
		/* First: what is read after the page changed must not be believed. */
		atomic_store(atomic_load(&lent[i].faulted), true);
		return mmap((void *)page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) != MAP_FAILED;
	}
	return false;
}

static void on_fault(int signal_number, siginfo_t *info, void *machine)
{
	(void)machine;
	/* Only the kernel's own codes are faults; a signal from kill(2) says nothing about the map. */
	bool fault = info->si_code > 0;
	sigjmp_buf *back = active;
	if (fault && back != NULL) {
		active = NULL;
		siglongjmp(*back, 1);
	}
	int error = errno;
	bool replaced = fault && signal_number == SIGBUS && replace_page((uintptr_t)info->si_addr);
	errno = error;
	if (replaced)
		return;
	/* A fault happens again on return, with its true address for the core dump. */
	signal(signal_number, SIG_DFL);
	if (!fault)
		raise(signal_number);
}

enum err os_guard_install(struct err_info *info)
{
	/* Not masked while it runs, because siglongjmp restores no mask: saving one is a system call a run.
	 */
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, &action, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0)
		return err_set(info, os_fail_code(errno),
			       "cannot install the handler of SIGBUS and SIGSEGV (error %d)", errno);
	return ERR_OK;
}

enum err os_guard_run(enum err (*work)(void *context), void *context)
{
	sigjmp_buf back;
	CHECK(active == NULL);
	if (sigsetjmp(back, 0) != 0)
		return ERR_CORRUPT;
	active = &back;
	enum err err = work(context);
	active = NULL;
	return err;
}

void os_guard_leave(void)
{
	sigjmp_buf *back = active;
	if (back == NULL)
		return;
	active = NULL;
	siglongjmp(*back, 1);
}
