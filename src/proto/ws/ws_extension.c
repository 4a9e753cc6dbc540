/* The negotiation of extensions. A browser offers a list in its order of preference, which may
 * contain permessage-deflate several times:
 *
 *	permessage-deflate; server_max_window_bits=10; client_max_window_bits, permessage-deflate
 *
 * Two questions are asked, and a mistake has a different effect in each. Is the header a list at
 * all (the ABNF of RFC 6455 §9.1)? If not, the handshake fails, even if nothing would be
 * negotiated. Is an offer acceptable (RFC 7692 §5.1, §7.1)? An unknown parameter, a duplicate one,
 * or one with an invalid value declines this offer alone: the next one is tried, and without any
 * the connection is opened uncompressed.
 *
 * The grammar has the lists of RFC 2616: blanks between all parts, and empty elements, but not a
 * list of nothing else. A quoted value must be a token once it is unquoted, so no value contains a
 * comma, and the lines of a header can be read one by one. Names are compared with their case: it
 * is always allowed to decline another spelling, but not to answer in a spelling that was not
 * offered.
 *
 * Each byte is looked at a bounded number of times and nothing is stored, so the length of the head
 * is the only limit needed.
 *
 * The answer always has both no_context_takeover, which a server may demand unasked (§7.1.1): a
 * compressed message stands for itself. So one publication can be compressed once for all, and an
 * idle connection owns neither window. client_max_window_bits need not be answered: our inflaters
 * have the largest window. */
#include "sluice/proto/ws/ws_extension.h"

#include <errno.h>

/* ---- the grammar ---- */

struct parameter {
	struct slice name;
	/* Without quotes but with backslashes, which no token contains unquoted. Absent: no
	 * value. */
	struct slice value;
};

static void skip_blanks(struct slice *rest)
{
	while (slice_take_char(rest, ' ') || slice_take_char(rest, '\t'))
		;
}

/* With blanks around it. */
static bool take_separator(struct slice *rest, char separator)
{
	skip_blanks(rest);
	if (!slice_take_char(rest, separator))
		return false;
	skip_blanks(rest);
	return true;
}

static bool take_token(struct slice *rest, struct slice *ret_token)
{
	size_t len = 0;
	while (len < rest->len && http_is_token_char(rest->at[len]))
		len++;
	*ret_token = slice_take_bytes(rest, len);
	return len > 0;
}

/* The opening quote has been taken. */
static bool take_quoted(struct slice *rest, struct slice *ret_value)
{
	size_t len = 0;
	while (len < rest->len && rest->at[len] != '"') {
		len += rest->at[len] == '\\';
		if (len == rest->len || !http_is_token_char(rest->at[len]))
			return false;
		len++;
	}
	if (len == 0 || len == rest->len)
		return false;
	*ret_value = slice_take_bytes(rest, len);
	return slice_take_char(rest, '"');
}

static bool take_parameter(struct slice *rest, struct parameter *ret_parameter)
{
	ret_parameter->value = (struct slice){ NULL, 0 };
	if (!take_token(rest, &ret_parameter->name))
		return false;
	if (!take_separator(rest, '='))
		return true;
	return slice_take_char(rest, '"') ? take_quoted(rest, &ret_parameter->value)
					  : take_token(rest, &ret_parameter->value);
}

/* ---- an offer ---- */

enum parameter_name {
	SERVER_NO_CONTEXT_TAKEOVER,
	CLIENT_NO_CONTEXT_TAKEOVER,
	SERVER_MAX_WINDOW_BITS,
	CLIENT_MAX_WINDOW_BITS,
	UNKNOWN,
};

struct offer {
	bool acceptable;
	bool seen[UNKNOWN]; /* by enum parameter_name */
	uint8_t server_window_bits;
};

static enum parameter_name name_of(struct slice name)
{
	static const char *const names[] = { "server_no_context_takeover",
		"client_no_context_takeover", "server_max_window_bits", "client_max_window_bits" };
	size_t i = 0;
	while (i < UNKNOWN && !slice_equal(name, slice_of(names[i])))
		i++;
	return (enum parameter_name)i;
}

/* 8 to 15 without leading zeros (RFC 7692 §7.1.2); else 0. */
static uint8_t window_bits_of(struct slice value)
{
	unsigned bits = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '\\')
			continue;
		if (value.at[i] < '0' || value.at[i] > '9' || bits > WS_WINDOW_BITS_MAX ||
			(value.at[i] == '0' && !bits))
			return 0;
		bits = bits * 10 + (unsigned)(value.at[i] - '0');
	}
	return bits < WS_WINDOW_BITS_MIN || bits > WS_WINDOW_BITS_MAX ? 0 : (uint8_t)bits;
}

static bool is_acceptable(struct offer *offer, enum parameter_name name, struct slice value)
{
	switch (name) {
	case SERVER_NO_CONTEXT_TAKEOVER:
	case CLIENT_NO_CONTEXT_TAKEOVER:
		return !value.at;
	case SERVER_MAX_WINDOW_BITS:
		offer->server_window_bits = window_bits_of(value);
		return offer->server_window_bits;
	case CLIENT_MAX_WINDOW_BITS:
		return !value.at || window_bits_of(value);
	case UNKNOWN:
		break;
	}
	return false;
}

static void add_parameter(struct offer *offer, const struct parameter *parameter)
{
	enum parameter_name name = name_of(parameter->name);
	if (name == UNKNOWN || offer->seen[name] || !is_acceptable(offer, name, parameter->value)) {
		offer->acceptable = false;
		return;
	}
	offer->seen[name] = true;
}

static bool take_offer(struct slice *rest, struct offer *ret_offer)
{
	struct slice extension;
	struct parameter parameter;
	*ret_offer = (struct offer){ .server_window_bits = WS_WINDOW_BITS_MAX };
	if (!take_token(rest, &extension))
		return false;
	ret_offer->acceptable = slice_equal(extension, SLICE("permessage-deflate"));
	while (take_separator(rest, ';')) {
		if (!take_parameter(rest, &parameter))
			return false;
		add_parameter(ret_offer, &parameter);
	}
	return true;
}

/* ---- a header ---- */

static void choose(struct ws_extension *chosen, const struct offer *offer)
{
	if (chosen->window_bits || !offer->acceptable)
		return;
	chosen->window_bits = offer->server_window_bits;
	chosen->names_our_window = offer->seen[SERVER_MAX_WINDOW_BITS];
}

/* Reads the elements of one line. Returns how many, or -EPROTO. */
static int read_list(struct slice rest, struct ws_extension *chosen)
{
	int n = 0;
	do {
		struct offer offer;
		skip_blanks(&rest);
		if (!rest.len || rest.at[0] == ',')
			continue;
		if (!take_offer(&rest, &offer))
			return -EPROTO;
		choose(chosen, &offer);
		n++;
	} while (take_separator(&rest, ','));
	return rest.len ? -EPROTO : n;
}

/* ---- public ---- */

int ws_extension_choose(const struct http_request *request, struct ws_extension *ret_chosen)
{
	*ret_chosen = (struct ws_extension){ 0 };
	bool any_header = false, any_element = false;
	for (size_t i = 0; i < request->n_headers; i++) {
		if (!slice_equal_nocase(
			    request->headers[i].name, SLICE("Sec-WebSocket-Extensions")))
			continue;
		int n = read_list(request->headers[i].value, ret_chosen);
		if (n < 0)
			return n;
		any_header = true;
		any_element |= n > 0;
	}
	return any_header && !any_element ? -EPROTO : 0;
}

int ws_extension_answer(const struct ws_extension *chosen, struct buffer *answer)
{
	if (!chosen->window_bits)
		return 0;
	char window[sizeof("; server_max_window_bits=255")] = "";
	if (chosen->names_our_window)
		snprintf(
			window, sizeof(window), "; server_max_window_bits=%u", chosen->window_bits);
	return buffer_printf(answer,
		"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
		"client_no_context_takeover%s\r\n",
		window);
}
