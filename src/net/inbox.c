/* Passes calls between threads.
 *
 *	any thread:  lock, append, wake if it was empty, unlock
 *	owner:       lock, take the whole array, unlock, deliver
 *
 * Two arrays are swapped, the one being filled and the one that was delivered, so that in the
 * steady state nothing is allocated. A lock, not a lock-free queue: it is held for a dozen
 * instructions, a batch costs one, and the order per thread is easy to see.
 *
 * uv_async_send is called under the lock, and the inbox is marked as closed under it, so that
 * nobody can wake a handle that is closing (libuv issue 3626).
 *
 * An array may have no room for one more post and no memory to grow. What must not fail then, such as
 * the request to end, is posted in memory of the poster's, and kept in a list.
 *
 * Calls are delivered outside the lock, so a call may post, here too. Calls posted meanwhile go
 * into the other array and are delivered by the next wake-up, so that the owner's sockets get their
 * turn. */
#include "sluice/net/inbox.h"

#include <errno.h>
#include <stdlib.h>

enum { INBOX_FIRST_CAPACITY = 32 };

static struct inbox_message take_call(struct inbox *inbox)
{
	struct inbox_message message = { 0 };
	uv_mutex_lock(&inbox->mutex);
	struct inbox_call *call = inbox->calls;
	if (call) {
		inbox->calls = call->next;
		call->posted = false;
		message = call->message;
	}
	uv_mutex_unlock(&inbox->mutex);
	return message;
}

/* Returns how many there were. */
static size_t deliver_calls(struct inbox *inbox)
{
	size_t n = 0;
	for (struct inbox_message message; (message = take_call(inbox)).deliver; n++)
		message.deliver(inbox->owner, message.subject);
	return n;
}

static size_t deliver_batch(struct inbox *inbox)
{
	uv_mutex_lock(&inbox->mutex);
	struct inbox_message *batch = inbox->messages;
	size_t n = inbox->n, capacity = inbox->capacity;
	inbox->messages = inbox->spare;
	inbox->capacity = inbox->spare_capacity;
	inbox->spare = batch;
	inbox->spare_capacity = capacity;
	inbox->n = 0;
	uv_mutex_unlock(&inbox->mutex);

	for (size_t i = 0; i < n; i++)
		batch[i].deliver(inbox->owner, batch[i].subject);
	return n;
}

/* A call that is being delivered may close the inbox: the batch continues, and later posts are
 * delivered after it, not within it. */
static void deliver_all(struct inbox *inbox)
{
	if (inbox->delivering)
		return;
	inbox->delivering = true;
	size_t n;
	do {
		n = deliver_batch(inbox);
		n += deliver_calls(inbox);
	} while (n > 0 && inbox->closed);
	inbox->delivering = false;
}

static void on_wake(uv_async_t *wake)
{
	deliver_all(container_of(wake, struct inbox, wake));
}

int inbox_open(struct inbox *inbox, uv_loop_t *loop, void *owner)
{
	*inbox = (struct inbox){ .owner = owner };
	int result = uv_mutex_init(&inbox->mutex);
	if (result < 0)
		return result;
	result = uv_async_init(loop, &inbox->wake, on_wake);
	if (result < 0)
		uv_mutex_destroy(&inbox->mutex);
	return result;
}

void inbox_close(struct inbox *inbox)
{
	uv_mutex_lock(&inbox->mutex);
	bool twice = inbox->closed;
	inbox->closed = true;
	uv_mutex_unlock(&inbox->mutex);
	if (twice)
		return;
	uv_close((uv_handle_t *)&inbox->wake, NULL);
	deliver_all(inbox);
}

void inbox_finish(struct inbox *inbox)
{
	free(inbox->messages);
	free(inbox->spare);
	uv_mutex_destroy(&inbox->mutex);
}

static int reserve_one(struct inbox *inbox)
{
	if (inbox->n < inbox->capacity)
		return 0;
	size_t capacity = inbox->capacity ? 2 * inbox->capacity : INBOX_FIRST_CAPACITY;
	struct inbox_message *messages = reallocarray(inbox->messages, capacity, sizeof(*messages));
	if (!messages)
		return -ENOMEM;
	inbox->messages = messages;
	inbox->capacity = capacity;
	return 0;
}

int inbox_post(struct inbox *inbox, void (*deliver)(void *owner, void *subject), void *subject)
{
	uv_mutex_lock(&inbox->mutex);
	int result = inbox->closed ? -EPIPE : reserve_one(inbox);
	if (result == 0) {
		inbox->messages[inbox->n++] = (struct inbox_message){ deliver, subject };
		if (inbox->n == 1)
			uv_async_send(&inbox->wake);
	}
	uv_mutex_unlock(&inbox->mutex);
	return result;
}

void inbox_post_call(struct inbox *inbox, struct inbox_call *call,
	void (*deliver)(void *owner, void *subject), void *subject)
{
	uv_mutex_lock(&inbox->mutex);
	if (!inbox->closed)
		call->message = (struct inbox_message){ deliver, subject };
	if (!inbox->closed && !call->posted) {
		struct inbox_call **end = &inbox->calls;
		while (*end)
			end = &(*end)->next;
		*end = call;
		call->next = NULL;
		call->posted = true;
		uv_async_send(&inbox->wake);
	}
	uv_mutex_unlock(&inbox->mutex);
}
