/* Locks, paths, the guard, clocks, entropy, the own process, the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/guard.h"
#include "os/process.h"
#include "os/terminal.h"
#include "tests/unit/scratch.h"

struct lock_case {
	const char *path;
	uint64_t holder; /* 0: it must be free */
};

static int try_lock(void *context)
{
	const struct lock_case *c = context;
	struct os_lock *lock = NULL;
	struct err_info info;
	char want[64];
	enum err err = os_lock_take(c->path, &lock, &info);
	if (c->holder == 0)
		return err == ERR_OK ? 0 : 1; /* and ends without a release */
	snprintf(want, sizeof(want), "process %llu", (unsigned long long)c->holder);
	if (err != ERR_BUSY || lock != NULL)
		return 2;
	return strstr(info.text, want) != NULL && strstr(info.text, c->path) != NULL ? 0 : 3;
}

static void lock_excludes(void **state)
{
	struct lock_case c = {scratch_path(*state, "lock"), os_process_id()};
	struct os_lock *lock;
	struct err_info info;
	assert_int_equal(os_lock_take(c.path, &lock, &info), ERR_OK);
	assert_int_equal(scratch_in_child(try_lock, &c), 0);
	os_lock_release(lock);
	os_lock_release(NULL);
	c.holder = 0;
	assert_int_equal(scratch_in_child(try_lock, &c), 0);
	/* The child's end freed it, though its pid is still in the file. */
	assert_int_equal(os_lock_take(c.path, &lock, &info), ERR_OK);
	os_lock_release(lock);
	assert_int_equal(os_lock_take(scratch_path(*state, "no/lock"), &lock, &info), ERR_NOT_FOUND);
}

static void paths_are_joined(void **state)
{
	(void)state;
	char out[8] = "before";
	assert_int_equal(os_path_join(out, sizeof(out), "/abc", "def"), ERR_LIMIT);
	assert_string_equal(out, "before");
	assert_int_equal(os_path_join(out, sizeof(out), "/ab", "def"), ERR_OK);
	assert_string_equal(out, "/ab/def");
	assert_int_equal(os_path_join(out, sizeof(out), "/", "def"), ERR_OK);
	assert_string_equal(out, "/def");
	assert_int_equal(os_path_join(out, sizeof(out), "", "def"), ERR_OK);
	assert_string_equal(out, "def");
}

static void state_folder_is_found(void **state)
{
	(void)state;
	char out[64];
	struct err_info info;
	setenv("MESH_STATE", "/x/y", 1);
	assert_int_equal(os_path_default_state(out, sizeof(out), &info), ERR_OK);
	assert_string_equal(out, "/x/y");
	assert_int_equal(os_path_default_state(out, 4, &info), ERR_LIMIT);
	assert_int_equal(os_path_default_state(out, 5, &info), ERR_OK);
	setenv("MESH_STATE", "", 1);
	setenv("HOME", "/h", 1);
	setenv("XDG_STATE_HOME", "/s", 1);
	if (os_file_exists("/var/lib/mesh"))
		skip();
	assert_int_equal(os_path_default_state(out, sizeof(out), &info), ERR_OK);
	assert_string_equal(out, "/s/mesh");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(os_path_default_state(out, sizeof(out), &info), ERR_OK);
	assert_string_equal(out, "/h/.local/state/mesh");
	unsetenv("HOME");
	assert_int_equal(os_path_default_state(out, sizeof(out), &info), ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, "MESH_STATE"));
}

static enum err sum_page(void *context)
{
	const volatile uint8_t *map = context;
	unsigned sum = 0;
	for (size_t i = 0; i < 4096; i++)
		sum += map[4096 + i];
	return sum == 0 ? ERR_STALE : ERR_OK;
}

/* Two pages of a file that is then cut to one. */
static void *broken_map(const char *path)
{
	static char zeros[8192];
	scratch_write(path, zeros, sizeof(zeros), 0600);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map = mmap(NULL, sizeof(zeros), PROT_READ, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(os_guard_run(sum_page, map), ERR_STALE);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
	return map;
}

static enum err touch_nothing(void *context)
{
	(void)context;
	volatile uint8_t *volatile bad = (volatile uint8_t *)16;
	return *bad == 0 ? ERR_OK : ERR_IO;
}

static void guard_turns_faults_into_errors(void **state)
{
	assert_int_equal(os_guard_install(NULL), ERR_OK);
	uint8_t *map = broken_map(scratch_path(*state, "map"));
	/* More than once: the handler stays, and the signals are not left masked. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(os_guard_run(sum_page, map), ERR_CORRUPT);
		assert_int_equal(os_guard_run(touch_nothing, NULL), ERR_CORRUPT);
	}
	munmap(map, 8192);
}

/* Outside of guarded runs, too: zeros, and whoever reads is told. */
static void a_lent_map_reads_on_as_zeros(void **state)
{
	atomic_bool faulted = false, other = false;
	assert_int_equal(os_guard_install(NULL), ERR_OK);
	uint8_t *map = broken_map(scratch_path(*state, "map"));
	assert_true(os_guard_lend(map - 4096, 4096, &other));
	assert_true(os_guard_lend(map, 8192, &faulted));
	assert_int_equal(((volatile uint8_t *)map)[0], 0);
	assert_false(faulted);
	assert_int_equal(os_guard_run(sum_page, map), ERR_CORRUPT);
	assert_false(faulted);
	assert_int_equal(sum_page(map), ERR_STALE);
	assert_true(faulted);
	assert_false(other);
	os_guard_take_back(map);
	os_guard_take_back(map - 4096);
	size_t count = 0;
	while (count < 1000 && os_guard_lend(map + 4096 * count, 4096, &faulted))
		count++;
	assert_int_equal(count, OS_GUARD_MAPS);
	while (count > 0)
		os_guard_take_back(map + 4096 * --count);
	munmap(map, 8192);
}

static void *fault_often(void *context)
{
	for (int i = 0; i < 200; i++) {
		if (os_guard_run(sum_page, context) != ERR_CORRUPT)
			return context;
	}
	return NULL;
}

static void guard_is_per_thread(void **state)
{
	pthread_t threads[3];
	void *failed;
	assert_int_equal(os_guard_install(NULL), ERR_OK);
	uint8_t *map = broken_map(scratch_path(*state, "map"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fault_often, map), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	munmap(map, 8192);
}

static int fault_outside(void *context)
{
	prctl(PR_SET_DUMPABLE, 0);
	os_guard_install(NULL);
	os_guard_run(touch_nothing, NULL);
	return touch_nothing(context) == ERR_OK;
}

static enum err kill_self(void *context)
{
	(void)context;
	kill(getpid(), SIGBUS);
	return ERR_OK;
}

static int signal_inside(void *context)
{
	(void)context;
	prctl(PR_SET_DUMPABLE, 0);
	os_guard_install(NULL);
	os_guard_run(kill_self, NULL);
	return 1;
}

static void guard_hides_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(scratch_in_child(fault_outside, NULL), -SIGSEGV);
	assert_int_equal(scratch_in_child(signal_inside, NULL), -SIGBUS);
}

static void clocks_run(void **state)
{
	(void)state;
	mono_ms before = os_clock_mono();
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	assert_in_range(os_clock_mono() - before, 19, 10000);
	assert_true(clock_day(os_clock_wall()) > 19923);
	assert_true(os_entropy_seed() != os_entropy_seed());
}

static int use_memory(void *context)
{
	struct os_usage before, after;
	size_t bytes = 8 * 1024 * 1024;
	os_process_be_small();
	os_process_hide();
	/* Being no longer dumpable must not hide the own figures from the own user. */
	if (!scratch_drop_root() || os_process_usage(&before) != ERR_OK)
		return 1;
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < bytes; i += 1024)
		memory[i] = 1;
	uint8_t *map = context;
	for (size_t i = 0; i < bytes; i += 1024)
		memory[0] = (char)(memory[0] + map[i]);
	if (os_process_usage(&after) != ERR_OK)
		return 2;
	if (after.rss_kib < before.rss_kib + 12000 || after.private_kib < before.private_kib + 12000)
		return 3;
	if (after.anonymous_kib < before.anonymous_kib + 8000 ||
	    after.anonymous_kib > before.anonymous_kib + 11000)
		return 4;
	return after.cpu_us > before.cpu_us ? 0 : 5;
}

static int hide(void *context)
{
	struct rlimit limit;
	(void)context;
	os_process_hide();
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
		return 1;
#if defined(__SANITIZE_ADDRESS__)
	return 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return 0;
#endif
#endif
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
}

static void who_holds_keys_leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(scratch_in_child(hide, NULL), 0);
}

static void usage_is_measured(void **state)
{
	size_t bytes = 8 * 1024 * 1024;
	const char *path = scratch_path(*state, "map");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	scratch_need_other_user();
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(map != MAP_FAILED);
	assert_int_equal(scratch_in_child(use_memory, map), 0);
	munmap(map, bytes);
	assert_int_equal(os_process_id(), getpid());
}

static void times_are_local(void **state)
{
	(void)state;
	static const struct {
		const char *zone;
		wall_ms t;
		const char *want;
	} cases[] = {
	    {"UTC", 1721372400000, "2024-07-19 07:00:00 +00:00"},
	    {"CET-1CEST,M3.5.0,M10.5.0/3", 1721372400999, "2024-07-19 09:00:00 +02:00"},
	    {"<-0330>3:30", 1721372400000, "2024-07-19 03:30:00 -03:30"},
	    {"<+0545>-5:45", 1721372400000, "2024-07-19 12:45:00 +05:45"},
	    {"UTC", 0, "unknown"},
	    {"UTC", 253402300799999, "9999-12-31 23:59:59 +00:00"},
	    {"UTC", 253402300800000, "after the year 9999"},
	    {"UTC", UINT64_MAX, "after the year 9999"},
	};
	char text[32];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		setenv("TZ", cases[i].zone, 1);
		tzset();
		os_time_text(cases[i].t, text);
		assert_string_equal(text, cases[i].want);
	}
}

static void columns_are_asked(void **state)
{
	(void)state;
	setenv("COLUMNS", "132", 1);
	assert_int_equal(os_terminal_columns(80), 132);
	setenv("COLUMNS", "nonsense", 1);
	int columns = os_terminal_columns(77);
	assert_true(columns == 77 || isatty(STDOUT_FILENO));
	unsetenv("COLUMNS");
	FILE *null = fopen("/dev/null", "r");
	assert_false(os_is_terminal(null));
	fclose(null);
}

struct ask_case {
	const char *keys;
	enum err want;
	const char *line;
	int terminal; /* our end */
};

/* With the other end of ->terminal as its controlling terminal. */
static int ask(void *context)
{
	const struct ask_case *c = context;
	char line[16] = "before";
	struct termios t;
	if (setsid() < 0)
		return 1;
	int fd = open(ptsname(c->terminal), O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		return 2;
	enum err err = os_terminal_secret("Passphrase: ", line, sizeof(line), NULL);
	if (err != c->want || (err == ERR_OK && strcmp(line, c->line) != 0))
		return 3;
	return tcgetattr(fd, &t) == 0 && (t.c_lflag & ECHO) != 0 && (t.c_lflag & ICANON) != 0 ? 0 : 4;
}

static void run_ask(struct ask_case *c)
{
	char shown[256] = "";
	size_t len = 0;
	int status;
	c->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(c->terminal >= 0 && grantpt(c->terminal) == 0 && unlockpt(c->terminal) == 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask(c));
	/* Typing starts when the prompt is there; what came before would be thrown away. */
	while (strstr(shown, ": ") == NULL && len < sizeof(shown) - 1) {
		ssize_t n = read(c->terminal, shown + len, sizeof(shown) - 1 - len);
		if (n > 0)
			len += (size_t)n;
		shown[len] = '\0';
	}
	assert_int_equal(write(c->terminal, c->keys, strlen(c->keys)), strlen(c->keys));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(shown, "Passphrase: ");
	/* Nothing of it was echoed. */
	ssize_t n = read(c->terminal, shown, sizeof(shown) - 1);
	shown[n > 0 ? n : 0] = '\0';
	assert_string_equal(shown, "\r\n");
	close(c->terminal);
}

static void secrets_are_typed_blind(void **state)
{
	(void)state;
	static struct ask_case cases[] = {
	    {.keys = "hunter2\n", .line = "hunter2"},
	    {.keys = "hunter2\r", .line = "hunter2"},
	    {.keys = "\n", .line = ""},
	    {.keys = "wrong\025ritg\177\177ght\n", .line = "right"},
	    {.keys = "Z\xc3\xbc\177urich\n", .line = "Zurich"},
	    {.keys = "secret\003", .want = ERR_INTERRUPTED},
	    {.keys = "\004", .want = ERR_INTERRUPTED},
	    {.keys = "fifteen bytes..\n", .line = "fifteen bytes.."},
	    {.keys = "sixteen bytes...\n", .want = ERR_LIMIT},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		run_ask(&cases[i]);
}

static int ask_nowhere(void *context)
{
	(void)context;
	char line[8];
	if (setsid() < 0)
		return 1;
	return os_terminal_secret("? ", line, sizeof(line), NULL) == ERR_UNSUPPORTED ? 0 : 2;
}

static void no_terminal_is_told(void **state)
{
	(void)state;
	assert_int_equal(scratch_in_child(ask_nowhere, NULL), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(lock_excludes),
	    cmocka_unit_test(paths_are_joined),
	    cmocka_unit_test(state_folder_is_found),
	    IN_FOLDER(guard_turns_faults_into_errors),
	    IN_FOLDER(a_lent_map_reads_on_as_zeros),
	    IN_FOLDER(guard_is_per_thread),
	    cmocka_unit_test(guard_hides_nothing_else),
	    cmocka_unit_test(clocks_run),
	    cmocka_unit_test(who_holds_keys_leaves_no_core),
	    IN_FOLDER(usage_is_measured),
	    cmocka_unit_test(times_are_local),
	    cmocka_unit_test(columns_are_asked),
	    cmocka_unit_test(secrets_are_typed_blind),
	    cmocka_unit_test(no_terminal_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
