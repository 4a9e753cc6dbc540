#include "sluice/auth/expiry.h"

#include <time.h>

enum { LOOK_MS = 60000 };

/* In milliseconds; 0 or less: it is over. */
static int64_t left(const struct expiry *expiry)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return expiry->at_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void wait(struct expiry *expiry);

static void on_due(struct deadline *deadline)
{
	struct expiry *expiry = container_of(deadline, struct expiry, deadline);
	if (expiry_is_over(expiry))
		expiry->on_over(expiry);
	else
		wait(expiry);
}

static void wait(struct expiry *expiry)
{
	int64_t ms = MAX(left(expiry), INT64_C(0));
	deadline_set(
		expiry->deadlines, &expiry->deadline, (uint64_t)MIN(ms, (int64_t)LOOK_MS), on_due);
}

void expiry_set(struct expiry *expiry, struct deadlines *deadlines, int64_t at_ms,
	void (*on_over)(struct expiry *expiry))
{
	expiry->deadlines = deadlines;
	expiry->at_ms = at_ms;
	expiry->on_over = on_over;
	wait(expiry);
}

void expiry_clear(struct expiry *expiry)
{
	if (expiry->deadlines)
		deadline_clear(expiry->deadlines, &expiry->deadline);
}

bool expiry_is_over(const struct expiry *expiry)
{
	return left(expiry) <= 0;
}
