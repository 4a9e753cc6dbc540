#include "sluice/process/readiness.h"

bool readiness_note(struct readiness *readiness, bool trouble, uint64_t now_ms)
{
	bool contradicts = trouble == readiness->ready;
	if (!contradicts || !readiness->turning)
		readiness->since = now_ms;
	readiness->turning = contradicts;
	uint64_t patience = trouble ? READINESS_TROUBLE_MS : READINESS_CLEAR_MS;
	bool first = !trouble && !readiness->begun;
	if (contradicts && (first || now_ms - readiness->since >= patience)) {
		readiness->ready = !trouble;
		readiness->turning = false;
	}
	readiness->begun = readiness->begun || readiness->ready;
	return readiness->ready;
}
