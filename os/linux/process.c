#include "os/process.h"

#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "os/file.h"

#define PROC_FILE_BYTES 65536

#define SMALL_TRIM_BYTES (64 * 1024)
#define SMALL_MMAP_BYTES (64 * 1024)

/* Sum of the "Name:   123 kB" lines whose name is given; false when there is none. */
static bool sum_kib(const char *text, const char *name, uint64_t *sum)
{
	size_t len = strlen(name);
	bool found = false;
	for (const char *line = text; line != NULL && *line != '\0';) {
		if (strncmp(line, name, len) == 0) {
			*sum += strtoull(line + len, NULL, 10);
			found = true;
		}
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return found;
}

static enum err read_rss(uint64_t *ret_kib)
{
	uint8_t *text;
	size_t len;
	unsigned long long total, resident;
	enum err err = os_file_read("/proc/self/statm", PROC_FILE_BYTES, &text, &len, NULL);
	if (err != ERR_OK)
		return err;
	int n = sscanf((const char *)text, "%llu %llu", &total, &resident);
	free(text);
	if (n != 2)
		return ERR_FORMAT;
	*ret_kib = resident * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
	return ERR_OK;
}

static enum err read_private(struct os_usage *usage)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read("/proc/self/smaps_rollup", PROC_FILE_BYTES, &data, &len, NULL);
	if (err != ERR_OK)
		return err;
	const char *text = (const char *)data;
	bool found = sum_kib(text, "Private_Clean:", &usage->private_kib) &&
		     sum_kib(text, "Private_Dirty:", &usage->private_kib) &&
		     sum_kib(text, "Anonymous:", &usage->anonymous_kib);
	free(data);
	return found ? ERR_OK : ERR_FORMAT;
}

enum err os_process_usage(struct os_usage *ret)
{
	struct os_usage usage = {0};
	struct timespec cpu;
	enum err err = read_rss(&usage.rss_kib);
	if (err == ERR_OK)
		err = read_private(&usage);
	if (err != ERR_OK)
		/* No /proc, or a kernel before 4.14. */
		return err == ERR_NOT_FOUND ? ERR_UNSUPPORTED : err;
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) != 0)
		return ERR_UNSUPPORTED;
	usage.cpu_us = (uint64_t)cpu.tv_sec * 1000000 + (uint64_t)cpu.tv_nsec / 1000;
	*ret = usage;
	return ERR_OK;
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_SANITIZER 1
#endif

void os_process_be_small(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, SMALL_TRIM_BYTES);
	mallopt(M_MMAP_THRESHOLD, SMALL_MMAP_BYTES);
#endif
}

void os_process_hide(void)
{
	static const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifndef UNDER_SANITIZER
	/* The leak check of sanitizer builds has to trace the process. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

uint64_t os_process_id(void)
{
	return (uint64_t)getpid();
}

static void on_used_up(int signal_number, siginfo_t *info, void *machine)
{
	const char *message = info->si_value.sival_ptr;
	(void)signal_number;
	(void)machine;
	/* A signal from kill(2) brings no message. */
	if (info->si_code == SI_TIMER)
		(void)!write(STDERR_FILENO, message, strlen(message));
	_exit(EXIT_FAILURE);
}

void os_process_end_after(unsigned seconds, const char *message)
{
	union {
		const char *in;
		void *out;
	} value = {.in = message}; /* the handler only reads */
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU, .sigev_value.sival_ptr = value.out};
	struct sigaction action = {.sa_sigaction = on_used_up, .sa_flags = SA_SIGINFO};
	struct itimerspec at = {.it_value.tv_sec = (time_t)seconds};
	timer_t timer;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGXCPU, &action, NULL) == 0 &&
	    timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0)
		(void)timer_settime(timer, 0, &at, NULL);
}
