/* The table of keys, what is refused and how it is said, what is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/config.h"
#include "tests/unit/scratch.h"

static struct config config;
static struct err_info info;

static enum err parse(const char *text)
{
	memset(&info, 0, sizeof(info));
	return config_parse(text, strlen(text), "mesh.conf", &config, &info);
}

static void refused(const char *text, enum err code, const char *const *parts)
{
	memset(&config, 0x5a, sizeof(config));
	struct config untouched = config;
	assert_int_equal(parse(text), code);
	assert_memory_equal(&config, &untouched, sizeof(config));
	for (; *parts != NULL; parts++)
		if (strstr(info.text, *parts) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", info.text, *parts);
}
#define REFUSED(text, code, ...) refused(text, code, (const char *const[]){__VA_ARGS__, NULL})

static void an_empty_file_is_all_defaults(void **state)
{
	(void)state;
	struct config defaults;
	config_default(&defaults);
	assert_int_equal(parse(""), ERR_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
	assert_int_equal(config.listen.port, 7946);
	assert_int_equal(config.collect_interval_s, 60);
	assert_int_equal(config.log_level, LOG_INFO);
	assert_false(config.drill);
	assert_int_equal(config.seeds.count, 0);
}

static void every_type_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf# comment\n[node]\n"
			       "listen = [::1]:7000\r\n"
			       "seeds = 10.0.0.1:7946, 10.0.0.2:7947 [2001:db8::1]:7946\n"
			       "  tags = till, front of house ,x\n"
			       "state = /var/lib/other ; why\n"
			       "role = till\n"
			       "only_gets_out = yes\n"
			       "[limits]\ncommit_min_s = 600\n[drill]\nenabled=yes\n[log]\nlevel = debug"),
			 ERR_OK);
	assert_int_equal(config.listen.ip_len, 16);
	assert_int_equal(config.listen.port, 7000);
	assert_int_equal(config.seeds.count, 3);
	assert_int_equal(config.seeds.items[1].port, 7947);
	assert_int_equal(config.tags.count, 3);
	assert_string_equal(config.tags.items[1], "front of house");
	assert_string_equal(config.state, "/var/lib/other");
	assert_string_equal(config.role, "till");
	assert_true(config.only_gets_out && config.drill);
	assert_int_equal(config.commit_min_s, 600);
	assert_int_equal(config.log_level, LOG_DEBUG);
}

static void unknown_keys_name_the_likely_one(void **state)
{
	(void)state;
	REFUSED("[node]\n\nlisen = 1\n", ERR_FORMAT, "mesh.conf:3", "\"lisen\"", "\"listen\"");
	REFUSED("[nod]\nlisten = 1\n", ERR_FORMAT, "mesh.conf:2", "\"listen\" in [node]");
	REFUSED("[limits]\ncollect_interval = 1\n", ERR_FORMAT, "mesh.conf:2", "--check-config");
	REFUSED("listen = 1\n", ERR_FORMAT, "mesh.conf:1", "in [node]");
}

static void bad_values_name_value_range_and_unit(void **state)
{
	(void)state;
	REFUSED("[limits]\ncommit_min_s = 4\n", ERR_RANGE, "mesh.conf:2", "\"4\"", "5 to 600 seconds");
	REFUSED("[limits]\ncommit_min_s = 601\n", ERR_RANGE, "\"601\"");
	REFUSED("[limits]\ncommit_min_s = -5\n", ERR_RANGE, "\"-5\"");
	REFUSED("[limits]\ncommit_min_s = 5s\n", ERR_RANGE, "\"5s\"");
	REFUSED("[limits]\ncommit_min_s =\n", ERR_RANGE, "\"\"");
	REFUSED("[node]\nlisten = localhost:7946\n", ERR_RANGE, "localhost:7946", "numeric address");
	REFUSED("[node]\nseeds = 10.0.0.1:1 x\n", ERR_RANGE, "at most 8");
	REFUSED("[node]\nseeds = 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 "
		"1.1.1.1:1 1.1.1.1:1\n",
		ERR_RANGE, "at most 8");
	REFUSED("[node]\nadvertise = 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 1.1.1.1:1\n", ERR_RANGE,
		"at most 4");
	REFUSED("[node]\ntags = 123456789012345678901234x\n", ERR_RANGE, "24 bytes");
	REFUSED("[node]\nasset_ids = a,b,c\n", ERR_RANGE, "at most 2");
	REFUSED("[node]\nrole = 123456789012345678901234x\n", ERR_RANGE, "24 bytes");
	REFUSED("[node]\nrole = a\x1b[31m\n", ERR_RANGE, "24 bytes");
	REFUSED("[node]\nstate = relative\n", ERR_RANGE, "absolute path");
	REFUSED("[drill]\nenabled = true\n", ERR_RANGE, "yes or no");
	REFUSED("[log]\nlevel = loud\n", ERR_RANGE, "error, warning, info or debug");
}

static void repeated_and_malformed_lines_are_refused(void **state)
{
	(void)state;
	char text[400] = "[node]\nrole = ";
	REFUSED("[node]\nrole = a\n\nrole = a\n", ERR_FORMAT, "mesh.conf:4", "line 2");
	REFUSED("[node]\nrole = a\n  role = b\n", ERR_FORMAT, "mesh.conf:3", "line 2");
	REFUSED("[node]\nrole\n", ERR_FORMAT, "mesh.conf:2");
	REFUSED("[node\nrole = a\n", ERR_FORMAT, "mesh.conf:1");
	memset(text + strlen(text), 'x', 300);
	REFUSED(text, ERR_LIMIT, "mesh.conf:2", "190");
	memset(&info, 0, sizeof(info));
	assert_int_equal(config_parse("[node]\nro\0e = a\n", 16, "mesh.conf", &config, &info), ERR_FORMAT);
	assert_non_null(strstr(info.text, "mesh.conf:2"));
}

static void what_is_printed_reads_back(void **state)
{
	struct config first;
	char *text = NULL;
	size_t len;
	assert_int_equal(parse("[node]\nseeds = [2001:db8::1]:7946 10.1.2.3:9\ntags = a, b c\n"
			       "location = Rack 7\n[collect]\ninterval_s = 10\n[drill]\nenabled = yes\n"),
			 ERR_OK);
	first = config;
	FILE *out = open_memstream(&text, &len);
	config_print(&config, out);
	fclose(out);
	assert_non_null(strstr(text, "commit_min_s = 5 ; default\n"));
	assert_non_null(strstr(text, "interval_s = 10\n"));
	scratch_write(scratch_path(*state, "conf"), text, len, 0600);
	assert_int_equal(config_load(scratch_path(*state, "conf"), &config, &info), ERR_OK);
	assert_memory_equal(&config, &first, sizeof(first));
	free(text);
}

static void the_example_is_all_defaults(void **state)
{
	(void)state;
	struct config defaults;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	config_print_example(out);
	fclose(out);
	config_default(&defaults);
	assert_int_equal(parse(text), ERR_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
	/* Uncommented it is still accepted: every line names a key. */
	for (char *p = text; (p = strstr(p, "\n#")) != NULL; p++)
		if (p[2] != ' ')
			p[1] = ' ';
	assert_int_equal(parse(text), ERR_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
	free(text);
}

static void the_committed_page_is_the_generated_one(void **state)
{
	char *text = NULL;
	size_t len;
	(void)state;
	FILE *out = open_memstream(&text, &len);
	config_print_doc(out);
	fclose(out);
	if (!scratch_holds(MESH_SOURCE_ROOT "/docs/configuration.md", text, len))
		fail_msg("docs/configuration.md is out of date: meshd --print-config-doc > it");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_is_all_defaults),
	    cmocka_unit_test(every_type_is_read),
	    cmocka_unit_test(unknown_keys_name_the_likely_one),
	    cmocka_unit_test(bad_values_name_value_range_and_unit),
	    cmocka_unit_test(repeated_and_malformed_lines_are_refused),
	    cmocka_unit_test_setup_teardown(what_is_printed_reads_back, scratch_setup, scratch_teardown),
	    cmocka_unit_test(the_example_is_all_defaults),
	    cmocka_unit_test(the_committed_page_is_the_generated_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
