/* Hexadecimal digits. */
#ifndef SLUICE_PROTO_TEXT_HEX_H
#define SLUICE_PROTO_TEXT_HEX_H

#include <stddef.h>
#include <stdint.h>

/* The value of a digit, in either case; -1: not a digit. */
int hex_digit(char c);

/* The value of four digits, all of which are valid. */
unsigned hex_four(const char digits[4]);

/* Writes 2 * len digits in lower case, without a NUL. */
void hex_print(const uint8_t *bytes, size_t len, char *text);

#endif
