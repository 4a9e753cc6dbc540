/* The private operation of a TLS handshake alone, by the library that Sluice uses:
 *
 *     sign KEY.pem SECONDS        prints the CPU time of one signature of a SHA-256, in microseconds */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context generator;
static mbedtls_pk_context key;

static int read_key(const char *path)
{
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&generator);
	mbedtls_pk_init(&key);
	int error = mbedtls_ctr_drbg_seed(&generator, mbedtls_entropy_func, &entropy, NULL, 0);
	if (error)
		return error;
#if MBEDTLS_VERSION_MAJOR < 3
	return mbedtls_pk_parse_keyfile(&key, path, NULL);
#else
	return mbedtls_pk_parse_keyfile(&key, path, NULL, mbedtls_ctr_drbg_random, &generator);
#endif
}

static int sign(void)
{
	static const unsigned char hash[32] = { 1 };
	static unsigned char signature[1024];
	size_t len;
#if MBEDTLS_VERSION_MAJOR < 3
	return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, &len,
		mbedtls_ctr_drbg_random, &generator);
#else
	return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature,
		sizeof signature, &len, mbedtls_ctr_drbg_random, &generator);
#endif
}

static double cpu_seconds(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 3 || read_key(argv[1]) != 0 || sign() != 0) {
		fprintf(stderr, "sign: needs a PEM file with a private key, and seconds\n");
		return 1;
	}
	double began = cpu_seconds(), passed = 0, seconds = strtod(argv[2], NULL);
	long count = 0;
	for (; passed < seconds; count++) {
		if (sign() != 0)
			return 1;
		passed = cpu_seconds() - began;
	}
	printf("%.1f\n", 1e6 * passed / (double)count);
	return 0;
}
