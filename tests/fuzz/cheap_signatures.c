/* Ed25519 for -Dfuzz=true builds alone: the linker puts these in place of libsodium's (--wrap). Whoever knows
 * a public key can sign, so inputs get behind signatures, and one costs 1 us where a real one costs 109: what
 * is fuzzed is Mesh's own code. The short runs of the test suite (driver.c) use the real ones. */
#include <sodium.h>
#include <string.h>

int __wrap_crypto_sign_ed25519_seed_keypair(unsigned char *pk, unsigned char *sk, const unsigned char *seed);
int __wrap_crypto_sign_ed25519_detached(unsigned char *sig, unsigned long long *ret_len,
					const unsigned char *m, unsigned long long len,
					const unsigned char *sk);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m,
					       unsigned long long len, const unsigned char *pk);

int __wrap_crypto_sign_ed25519_seed_keypair(unsigned char *pk, unsigned char *sk, const unsigned char *seed)
{
	crypto_generichash(pk, crypto_sign_ed25519_PUBLICKEYBYTES, seed, crypto_sign_ed25519_SEEDBYTES, NULL,
			   0);
	memmove(sk, seed, crypto_sign_ed25519_SEEDBYTES);
	memcpy(sk + crypto_sign_ed25519_SEEDBYTES, pk, crypto_sign_ed25519_PUBLICKEYBYTES);
	return 0;
}

static void make(unsigned char *sig, const unsigned char *m, unsigned long long len, const unsigned char *pk)
{
	crypto_generichash(sig, crypto_sign_ed25519_BYTES, m, len, pk, crypto_sign_ed25519_PUBLICKEYBYTES);
}

int __wrap_crypto_sign_ed25519_detached(unsigned char *sig, unsigned long long *ret_len,
					const unsigned char *m, unsigned long long len,
					const unsigned char *sk)
{
	make(sig, m, len, sk + crypto_sign_ed25519_SEEDBYTES);
	if (ret_len != NULL)
		*ret_len = crypto_sign_ed25519_BYTES;
	return 0;
}

int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m,
					       unsigned long long len, const unsigned char *pk)
{
	unsigned char right[crypto_sign_ed25519_BYTES];
	make(right, m, len, pk);
	return memcmp(sig, right, sizeof(right)) == 0 ? 0 : -1;
}
