/* mbedTLS' headers refuse to be read under MemorySanitizer where the library has assembly in it, as
 * the sanitizer would not see what that writes. It sees nothing of the library anyway; libraries.c
 * says what is written. Nothing that the codecs use depends on these. */
#undef MBEDTLS_HAVE_ASM
#undef MBEDTLS_AESNI_C
#undef MBEDTLS_AESCE_C
#undef MBEDTLS_PADLOCK_C
