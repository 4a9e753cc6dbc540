/* An intrusive, circular, doubly linked list. A zeroed node is in no list. Write at each head what
 * the list contains:
 *
 *	struct list conns;	-- struct conn, by .link */
#ifndef SLUICE_BASE_LIST_H
#define SLUICE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/defs.h"

struct list {
	struct list *next, *previous;
};

static inline void list_init(struct list *head)
{
	head->next = head->previous = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Is this node in a list? */
static inline bool list_is_linked(const struct list *node)
{
	return node->next != NULL;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->next = head;
	node->previous = head->previous;
	head->previous->next = node;
	head->previous = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node); /* which puts it before */
}

/* Removes the node from its list, if it is in one. */
static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->next->previous = node->previous;
	node->previous->next = node->next;
	node->next = node->previous = NULL;
}

/* Moves all nodes of `from` to `to`, which must be empty; `from` is empty afterwards. */
static inline void list_take(struct list *to, struct list *from)
{
	list_init(to);
	if (list_is_empty(from))
		return;
	*to = *from;
	to->next->previous = to;
	to->previous->next = to;
	list_init(from);
}

/* Removes the first node and returns it; NULL when the list is empty. */
static inline struct list *list_pop(struct list *head)
{
	struct list *node = head->next;
	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

#define LIST_EACH(node, head) \
	for (struct list *node = (head)->next; node != (head); node = node->next)

/* The body may remove (and free) the current node, but no other. */
#define LIST_EACH_SAFE(node, head) \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
		node = node##_next, node##_next = node->next)

#endif
