#include "cli/passphrase.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/guarded.h"
#include "os/terminal.h"

char *passphrase_new(void)
{
	return crypto_guarded_new(PASSPHRASE_BYTES);
}

void passphrase_free(char *passphrase)
{
	crypto_guarded_free(passphrase, PASSPHRASE_BYTES);
}

static enum err read_first_line(const char *path, char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = crypto_guarded_read(path, PASSPHRASE_BYTES - 1, &data, &len, info);
	if (err != ERR_OK)
		return err;
	size_t line = strcspn((char *)data, "\r\n");
	if (line == 0) {
		err = err_set(info, ERR_ARG, "the first line of \"%s\" is empty; write a passphrase into it",
			      path);
	} else {
		memcpy(ret, data, line);
		ret[line] = '\0';
	}
	crypto_guarded_free(data, len);
	return err;
}

enum err passphrase_read(const struct command *c, const char *file_option, const char *prompt, bool twice,
			 char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	const char *file = options_value(&c->options, file_option);
	char *again;
	if (ret == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a passphrase");
	if (file != NULL)
		return read_first_line(file, ret, info);
	enum err err = os_terminal_secret(prompt, ret, PASSPHRASE_BYTES, info);
	if (err == ERR_UNSUPPORTED)
		return err_set(info, err,
			       "a passphrase is needed and there is no terminal to ask on; give it "
			       "with --%s",
			       file_option);
	if (err == ERR_OK && ret[0] == '\0')
		err = err_set(info, ERR_ARG, "the passphrase is empty; nothing was changed");
	if (err != ERR_OK || !twice)
		return err;
	again = passphrase_new();
	if (again == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a passphrase");
	err = os_terminal_secret("Again: ", again, PASSPHRASE_BYTES, info);
	if (err == ERR_OK && strcmp(ret, again) != 0)
		err = err_set(info, ERR_ARG, "the two passphrases differ; nothing was changed");
	passphrase_free(again);
	return err;
}

enum err passphrase_choose(const struct command *c, const char *file_option, const char *none_option,
			   const char *prompt, char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	bool none = options_has(&c->options, none_option);
	if (ret == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a passphrase");
	if (none && options_has(&c->options, file_option))
		return err_set(info, ERR_USAGE, "--%s and --%s exclude each other", none_option, file_option);
	return none ? ERR_OK : passphrase_read(c, file_option, prompt, true, ret, info);
}

enum err passphrase_load_seed(const struct command *c, const char *path, enum key_purpose purpose,
			      const char *file_option, const char *prompt, char *shared,
			      uint8_t ret_seed[KEY_BYTES], struct err_info *info)
{
	enum err err = key_file_load(path, purpose, NULL, ret_seed, info);
	if (err == ERR_SEAL && shared != NULL && shared[0] != '\0')
		err = key_file_load(path, purpose, shared, ret_seed, info);
	if (err != ERR_SEAL)
		return err;
	char *passphrase = passphrase_new();
	err = passphrase_read(c, file_option, prompt, false, passphrase, info);
	if (err == ERR_OK)
		err = key_file_load(path, purpose, passphrase, ret_seed, info);
	if (err == ERR_OK && shared != NULL && shared[0] == '\0')
		memcpy(shared, passphrase, PASSPHRASE_BYTES);
	passphrase_free(passphrase);
	return err;
}

enum err passphrase_load_key(const struct command *c, const char *path, enum key_purpose purpose,
			     const char *file_option, const char *prompt, char *shared, struct identity **ret,
			     struct err_info *info)
{
	uint8_t *seed = crypto_guarded_new(KEY_BYTES);
	enum err err = seed == NULL
			   ? err_set(info, ERR_NOMEM, "no memory for a key")
			   : passphrase_load_seed(c, path, purpose, file_option, prompt, shared, seed, info);
	if (err == ERR_OK && identity_from_seed(seed, ret) != ERR_OK)
		err = err_set(info, ERR_NOMEM, "no memory for a key");
	crypto_guarded_free(seed, KEY_BYTES);
	return err;
}
