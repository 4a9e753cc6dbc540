/* Several header lines are one list (RFC 9110 §5.3). It is refused as a whole if one element is
 * wrong, as two servers could differ in how they read the rest. The number of elements is limited,
 * as each is compared with all before it. */
#include "sluice/proto/ws/ws_subprotocol.h"

static bool is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!http_is_token_char(text.at[i]))
			return false;
	}
	return text.len > 0;
}

enum { SUBPROTOCOLS_MAX = 32 };

struct subprotocols {
	struct slice names[SUBPROTOCOLS_MAX];
	size_t n;
};

static const char *add(struct subprotocols *offered, struct slice name)
{
	if (!is_token(name))
		return "Sec-WebSocket-Protocol holds an element that is no token";
	if (offered->n == SUBPROTOCOLS_MAX)
		return "Sec-WebSocket-Protocol holds too many elements";
	for (size_t i = 0; i < offered->n; i++) {
		if (slice_equal(offered->names[i], name))
			return "Sec-WebSocket-Protocol holds an element twice";
	}
	offered->names[offered->n++] = name;
	return NULL;
}

/* A ticket is a secret, and never answered. */
static const char *choose(const struct subprotocols *offered, bool (*is_spoken)(struct slice name),
	struct slice *chosen, struct slice *found_ticket)
{
	static const struct slice mark = { "ticket.", 7 };
	bool spoken = false;
	for (size_t i = 0; i < offered->n; i++) {
		struct slice name = offered->names[i];
		if (slice_starts_with(name, mark)) {
			if (found_ticket->at)
				return "Sec-WebSocket-Protocol holds more than one ticket";
			*found_ticket = slice_skip(name, mark.len);
		} else if (!chosen->at || (!spoken && is_spoken(name))) {
			*chosen = name;
			spoken = is_spoken(name);
		}
	}
	return NULL;
}

const char *ws_subprotocol_choose(const struct http_request *request,
	bool (*is_spoken)(struct slice name), struct slice *ret_subprotocol,
	struct slice *ret_ticket)
{
	*ret_subprotocol = *ret_ticket = (struct slice){ NULL, 0 };
	struct subprotocols offered = { .n = 0 };
	for (size_t i = 0; i < request->n_headers; i++) {
		struct slice rest = request->headers[i].value;
		if (!slice_equal_nocase(request->headers[i].name, SLICE("Sec-WebSocket-Protocol")))
			continue;
		while (rest.at) {
			const char *problem = add(&offered, slice_trim(slice_cut(&rest, ',')));
			if (problem)
				return problem;
		}
	}
	return choose(&offered, is_spoken, ret_subprotocol, ret_ticket);
}
