/* The only way for other threads to reach a worker: they post calls, and the owner's loop runs each
 * thread's calls in the order in which they were posted. */
#ifndef SLUICE_NET_INBOX_H
#define SLUICE_NET_INBOX_H

#include <stdbool.h>
#include <uv.h>

#include "sluice/base/defs.h"

struct inbox_message {
	void (*deliver)(void *owner, void *subject);
	void *subject;
};

/* A call with memory of its own, so that posting it cannot fail. Zero-initialised. */
struct inbox_call {
	/* private: written under the inbox's mutex */
	struct inbox_message message;
	struct inbox_call *next;
	bool posted;
};

struct inbox {
	void *owner;
	/* private */
	uv_async_t wake;
	uv_mutex_t mutex;
	struct inbox_message *messages, *spare; /* two arrays, swapped under the mutex */
	size_t n, capacity, spare_capacity;
	struct inbox_call *calls; /* posted, oldest first */
	bool delivering, closed;
};

/* `owner` is passed to every call. The inbox keeps its loop alive. 0 or a negative errno. */
MUST_CHECK int inbox_open(struct inbox *inbox, uv_loop_t *loop, void *owner);

/* In the owner's thread: delivers at once everything that has been posted; posting fails from here
 * on. May be called twice. The memory must stay until the loop has run the close callback and
 * nobody posts any more; then call inbox_finish. */
void inbox_close(struct inbox *inbox);

/* Frees the rest. After the loop has ended. */
void inbox_finish(struct inbox *inbox);

/* From any thread. 0; -ENOMEM; -EPIPE: the inbox is closed. On an error nothing was posted, and
 * `subject` is still the caller's. Many posts between two turns of the owner cost one wake-up. */
MUST_CHECK int inbox_post(
	struct inbox *inbox, void (*deliver)(void *owner, void *subject), void *subject);

/* From any thread: the same by a call that must outlive the inbox. It is delivered once, behind what
 * was posted before. If it is posted again before it is delivered, only the last `deliver` and
 * `subject` count. Nothing happens if the inbox is closed. */
void inbox_post_call(struct inbox *inbox, struct inbox_call *call,
	void (*deliver)(void *owner, void *subject), void *subject);

#endif
