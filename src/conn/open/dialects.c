/* The table that maps subprotocols to dialects. */
#include "sluice/conn/open/dialects.h"

#include "sluice/base/defs.h"
#include "sluice/conn/open/plain.h"
#include "sluice/conn/open/v1.h"
#ifdef SLUICE_ECHO
#include "sluice/conn/open/echo.h"
#endif

const struct dialect *const dialects[] = {
	&dialect_plain,
	&dialect_v1,
#ifdef SLUICE_ECHO
	&echo_dialect,
#endif
	NULL,
};

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
unsigned dialect_echo(void)
{
	return COUNT_OF(dialects) - 2;
}
#endif
