/* Passphrases: from a file's first line or the terminal, never from an argument. They live in guarded memory.
 */
#ifndef MESH_CLI_PASSPHRASE_H
#define MESH_CLI_PASSPHRASE_H

#include "cli/command.h"
#include "crypto/identity.h"

#define PASSPHRASE_BYTES 1024

/* PASSPHRASE_BYTES of guarded memory, empty; NULL, which all below refuse, when there is none. Freeing wipes
 * it. */
char *passphrase_new(void);
void passphrase_free(char *passphrase);

/* From the file that `file_option` names, else asked with `prompt` (`twice`: and compared). */
enum err passphrase_read(const struct command *c, const char *file_option, const char *prompt, bool twice,
			 char ret[PASSPHRASE_BYTES], struct err_info *info);
/* For a new key: as passphrase_read, or empty when the switch `none_option` is given. */
enum err passphrase_choose(const struct command *c, const char *file_option, const char *none_option,
			   const char *prompt, char ret[PASSPHRASE_BYTES], struct err_info *info);
/* The seed in a key file, into guarded memory, with a passphrase only where it is protected. `shared` (may be
 * NULL): the passphrase that opened another key of this verb is tried before anybody is asked, and an empty
 * one takes what opened this. */
enum err passphrase_load_seed(const struct command *c, const char *path, enum key_purpose purpose,
			      const char *file_option, const char *prompt, char *shared,
			      uint8_t ret_seed[KEY_BYTES], struct err_info *info);
/* The same of a key pair. */
enum err passphrase_load_key(const struct command *c, const char *path, enum key_purpose purpose,
			     const char *file_option, const char *prompt, char *shared, struct identity **ret,
			     struct err_info *info);

#endif
