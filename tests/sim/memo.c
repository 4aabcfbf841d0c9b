/* A record that goes through an estate of a thousand is verified a thousand times over the same bytes. For
 * mesh-sim the linker puts this in front of libsodium's check (--wrap): the first answer for some signature,
 * key and bytes stands for the others. All worlds of a process share it: an answer depends on nothing else.
 */
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define PLACES     65536
#define MARK_BYTES 32

struct memo {
	unsigned char mark[MARK_BYTES];
	bool known;
	int answer;
};

int __real_crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m,
					       unsigned long long len, const unsigned char *pk);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m,
					       unsigned long long len, const unsigned char *pk);

int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m,
					       unsigned long long len, const unsigned char *pk)
{
	static struct memo memos[PLACES];
	crypto_generichash_state state;
	unsigned char mark[MARK_BYTES];
	size_t place;
	crypto_generichash_init(&state, pk, crypto_sign_ed25519_PUBLICKEYBYTES, sizeof(mark));
	crypto_generichash_update(&state, sig, crypto_sign_ed25519_BYTES);
	crypto_generichash_update(&state, m, len);
	crypto_generichash_final(&state, mark, sizeof(mark));
	memcpy(&place, mark, sizeof(place));
	struct memo *memo = &memos[place % PLACES];
	if (!memo->known || memcmp(memo->mark, mark, sizeof(mark)) != 0) {
		memcpy(memo->mark, mark, sizeof(mark));
		memo->answer = __real_crypto_sign_ed25519_verify_detached(sig, m, len, pk);
		memo->known = true;
	}
	return memo->answer;
}
