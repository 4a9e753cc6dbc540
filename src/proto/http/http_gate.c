/* A small state machine that knows only where lines, names and values begin and end. It is as
 * strict as RFC 9112 allows: only CR LF ends a line (§2.2), a line never continues on the next line
 * (§5.2), there is no space before the colon (§5.1), and there are no control characters. It
 * refuses on the first wrong byte, so a peer cannot keep a hopeless request open. */
#include "sluice/proto/http/http_gate.h"

#include <ctype.h>
#include <string.h>

enum state {
	AT_METHOD_START,
	AT_METHOD,
	AT_TARGET_START,
	AT_SCHEME,
	AT_AUTHORITY_START,
	AT_TARGET,
	AT_VERSION,
	AT_LINE_END,
	AT_LINE_START,
	AT_NAME,
	AT_VALUE,
	AT_HEAD_END,
	OPEN, /* the head is complete */
	SHUT, /* a byte was refused */
};

static const char version[] = "HTTP/1.1";

static bool is_value_char(unsigned char byte)
{
	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

/* A target begins with a path, or is a whole http URI (RFC 9112 §3.2.2). */
static enum state pass_target_start(char byte)
{
	if (byte == '/')
		return AT_TARGET;
	return byte == 'h' || byte == 'H' ? AT_SCHEME : SHUT;
}

/* "http://" or "https://", in any case, behind its first letter. */
static enum state pass_scheme(struct http_gate *gate, char byte)
{
	static const char rest[] = "ttps://";
	size_t without_s = 3;
	if (gate->scheme_len == without_s && byte == ':')
		gate->scheme_len++;
	if (tolower((unsigned char)byte) != rest[gate->scheme_len++])
		return SHUT;
	return gate->scheme_len == sizeof(rest) - 1 ? AT_AUTHORITY_START : AT_SCHEME;
}

static bool is_target_char(char byte)
{
	return byte > ' ' && byte < 0x7f && byte != '#';
}

static enum state pass_version(struct http_gate *gate, char byte)
{
	size_t len = sizeof(version) - 1;
	if (gate->version_len == len)
		return byte == '\r' ? AT_LINE_END : SHUT;
	return byte == version[gate->version_len++] ? AT_VERSION : SHUT;
}

static enum state pass_line_start(struct http_gate *gate, char byte)
{
	if (byte == '\r')
		return AT_HEAD_END;
	gate->n_lines++;
	return http_is_token_char(byte) ? AT_NAME : SHUT;
}

/* The state that the byte leads to. */
static enum state pass(struct http_gate *gate, char byte)
{
	switch ((enum state)gate->state) {
	case AT_METHOD_START:
		return http_is_token_char(byte) ? AT_METHOD : SHUT;
	case AT_METHOD:
		if (byte == ' ')
			return AT_TARGET_START;
		return http_is_token_char(byte) ? AT_METHOD : SHUT;
	case AT_TARGET_START:
		return pass_target_start(byte);
	case AT_SCHEME:
		return pass_scheme(gate, byte);
	case AT_AUTHORITY_START:
		return is_target_char(byte) && !strchr("/?", byte) ? AT_TARGET : SHUT;
	case AT_TARGET:
		if (byte == ' ')
			return AT_VERSION;
		return is_target_char(byte) ? AT_TARGET : SHUT;
	case AT_VERSION:
		return pass_version(gate, byte);
	case AT_LINE_END:
		return byte == '\n' ? AT_LINE_START : SHUT;
	case AT_LINE_START:
		return pass_line_start(gate, byte);
	case AT_NAME:
		if (byte == ':')
			return AT_VALUE;
		return http_is_token_char(byte) ? AT_NAME : SHUT;
	case AT_VALUE:
		if (byte == '\r')
			return AT_LINE_END;
		return is_value_char((unsigned char)byte) ? AT_VALUE : SHUT;
	case AT_HEAD_END:
		return byte == '\n' ? OPEN : SHUT;
	case OPEN:
	case SHUT:
		break;
	}
	return SHUT;
}

/* Most bytes of a request are in values, and these lead nowhere else. */
static size_t value_chars(const char *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && is_value_char((unsigned char)bytes[n]))
		n++;
	return n;
}

enum http_gate_result http_gate_pass(
	struct http_gate *gate, const char *bytes, size_t len, size_t *ret_passed)
{
	enum http_gate_result result = HTTP_GATE_MORE;
	size_t i = 0;
	while (i < len && result == HTTP_GATE_MORE) {
		if (gate->state == AT_VALUE && (i += value_chars(bytes + i, len - i)) == len)
			break;
		gate->state = (uint8_t)pass(gate, bytes[i++]);
		if (gate->state == SHUT)
			result = HTTP_GATE_REFUSED;
		else if (gate->n_lines > HTTP_HEADERS_MAX)
			result = HTTP_GATE_TOO_MANY;
		else if (gate->state == OPEN)
			result = HTTP_GATE_HEAD_END;
	}
	*ret_passed = i;
	return result;
}

bool http_is_token_char(char byte)
{
	if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
		(byte >= 'A' && byte <= 'Z'))
		return true;
	return byte && strchr("!#$%&'*+-.^_`|~", byte);
}
