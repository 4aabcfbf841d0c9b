#include "node/collect/linux/module_file.h"

#include <dlfcn.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* X(function of libkmod): one line each, so that name, type and look-up cannot drift apart. */
#define KMOD_FUNCTIONS(X)                                                                                    \
	X(kmod_new)                                                                                          \
	X(kmod_unref)                                                                                        \
	X(kmod_module_new_from_path)                                                                         \
	X(kmod_module_unref)                                                                                 \
	X(kmod_module_get_info)                                                                              \
	X(kmod_module_info_get_key)                                                                          \
	X(kmod_module_info_get_value)                                                                        \
	X(kmod_module_info_free_list)                                                                        \
	X(kmod_list_next)

struct module_reader {
	void *library;
	struct kmod_ctx *ctx;
#define KMOD_MEMBER(f) __typeof__(&f) f;
	KMOD_FUNCTIONS(KMOD_MEMBER)
#undef KMOD_MEMBER
};

static bool resolve(struct module_reader *r)
{
#define KMOD_RESOLVE(f)                                                                                      \
	*(void **)&r->f = dlsym(r->library, #f);                                                             \
	if (!r->f)                                                                                           \
		return false;
	KMOD_FUNCTIONS(KMOD_RESOLVE)
#undef KMOD_RESOLVE
	return true;
}

enum err module_reader_open(struct module_reader **ret)
{
	struct module_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	r->library = dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!r->library || !resolve(r)) {
		module_reader_close(r);
		return ERR_UNSUPPORTED;
	}
	/* No configuration and no index: files are named by their paths. */
	static const char *const no_config[] = {NULL};
	r->ctx = r->kmod_new(NULL, (const char *const *)no_config);
	if (!r->ctx) {
		module_reader_close(r);
		return ERR_NOMEM;
	}
	*ret = r;
	return ERR_OK;
}

void module_reader_close(struct module_reader *reader)
{
	if (!reader)
		return;
	if (reader->ctx)
		reader->kmod_unref(reader->ctx);
	if (reader->library)
		dlclose(reader->library);
	free(reader);
}

static void take_text(struct reading_text *ret, const char *value)
{
	if (*value == '\0')
		return;
	ret->status = READING_OK;
	text_copy(ret->value, sizeof(ret->value), value);
}

static void take(struct module_facts *facts, const char *key, const char *value)
{
	if (strcmp(key, "version") == 0)
		take_text(&facts->version, value);
	else if (strcmp(key, "srcversion") == 0)
		take_text(&facts->source, value);
	else if (strcmp(key, "signer") == 0)
		take_text(&facts->signer, value);
	else if (strcmp(key, "intree") == 0)
		facts->in_tree = value[0] == 'Y';
	else if (strcmp(key, "license") == 0)
		facts->proprietary = strncmp(value, "Proprietary", 11) == 0;
}

bool module_reader_facts(struct module_reader *reader, const char *path, struct module_facts *ret)
{
	struct stat st;
	struct kmod_module *module;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    reader->kmod_module_new_from_path(reader->ctx, path, &module) < 0)
		return false;
	struct kmod_list *list = NULL;
	if (reader->kmod_module_get_info(module, &list) < 0) {
		reader->kmod_module_unref(module);
		return false;
	}
	struct module_facts facts = {
	    .version = {READING_ABSENT, ""},
	    .source = {READING_ABSENT, ""},
	    .signer = {READING_ABSENT, ""},
	    .size_bytes = {READING_OK, (uint64_t)st.st_size},
	};
	for (struct kmod_list *i = list; i; i = reader->kmod_list_next(list, i))
		take(&facts, reader->kmod_module_info_get_key(i), reader->kmod_module_info_get_value(i));
	reader->kmod_module_info_free_list(list);
	reader->kmod_module_unref(module);
	*ret = facts;
	return true;
}
