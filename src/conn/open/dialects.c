/* The table that maps subprotocols to dialects. */
#include "sluice/conn/open/dialects.h"

#include "sluice/base/defs.h"

#ifdef SLUICE_ECHO
#define ECHO_ROW(ROW) ROW(dialect_echo)
#else
#define ECHO_ROW(ROW)
#endif

/* One row for each dialect. The first is for clients that ask for none. */
#define ROWS(ROW) \
	ROW(dialect_plain) \
	ROW(dialect_v1) \
	ECHO_ROW(ROW)

#define DECLARATION(name) extern const struct dialect name;
ROWS(DECLARATION)

#define ELEMENT(name) &name,
const struct dialect *const dialects[] = { ROWS(ELEMENT) NULL };

_Static_assert(COUNT_OF(dialects) - 1 <= DIALECTS_MAX, "conn->dialect is too small");

unsigned dialect_of_subprotocol(struct slice name)
{
	for (unsigned i = 0; dialects[i]; i++)
		if (dialects[i]->subprotocol &&
			slice_equal(name, slice_of(dialects[i]->subprotocol)))
			return i;
	return 0;
}

bool dialect_is_spoken(struct slice name)
{
	return dialect_of_subprotocol(name) != 0;
}

#ifdef SLUICE_ECHO
unsigned dialect_of_echo(void)
{
	return COUNT_OF(dialects) - 2;
}
#endif
