#include "os/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "base/check.h"
#include "os/linux/fail.h"

/* Where a fault of this thread goes on; NULL outside a guarded run. */
static _Thread_local sigjmp_buf *volatile active;

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
