/* The Origin check. The input is lines: the origin, the Host header, and the allowed origins; an
 * odd first byte means that there is no Origin header. Two origins are compared here as texts,
 * normalised to lower case and with their port. */
#include "fuzz.h"

#include <ctype.h>

#include "sluice/proto/http/origin.h"

enum { ALLOWED_MAX = 8 };

static bool is_special(struct slice allowed)
{
	return slice_equal(allowed, SLICE("*")) || slice_equal(allowed, SLICE("none")) ||
	       slice_equal(allowed, SLICE("same-host"));
}

static bool is_origin(struct slice text)
{
	return origin_setting_is_valid(text) && !is_special(text);
}

static unsigned default_port(struct slice origin)
{
	if (slice_starts_with(origin, SLICE("http:")))
		return 80;
	return slice_starts_with(origin, SLICE("https:")) ? 443 : 0;
}

/* Of a valid origin. */
static struct buffer one_way(struct slice text)
{
	struct buffer written = { 0 };
	fuzz_append(&written, text);
	for (size_t i = 0; i < written.len; i++)
		written.bytes[i] = (char)tolower((unsigned char)written.bytes[i]);
	unsigned long port = default_port(buffer_slice(&written));
	size_t end = written.len;
	while (end && isdigit((unsigned char)written.bytes[end - 1]))
		end--;
	if (end < written.len && written.bytes[end - 1] == ':') {
		fuzz_append(&written, slice_make("", 1));
		port = strtoul(written.bytes + end, NULL, 10);
		written.len = end - 1;
	}
	fuzz_printf(&written, ":%lu", port);
	return written;
}

static bool same_origin(struct slice a, struct slice b)
{
	if (!is_origin(a) || !is_origin(b))
		return false;
	struct buffer one = one_way(a), other = one_way(b);
	bool same = slice_equal(buffer_slice(&one), buffer_slice(&other));
	buffer_finish(&one);
	buffer_finish(&other);
	return same;
}

/* Is it the origin of a page of this host with the same scheme? */
static bool same_host(struct slice origin, struct slice host)
{
	struct buffer own = { 0 };
	struct slice rest = origin, scheme = slice_cut(&rest, ':');
	if (!slice_equal_nocase(scheme, SLICE("http")) &&
		!slice_equal_nocase(scheme, SLICE("https")))
		return false;
	fuzz_append(&own, scheme);
	fuzz_append(&own, SLICE("://"));
	fuzz_append(&own, host);
	bool same = same_origin(origin, buffer_slice(&own));
	buffer_finish(&own);
	return same;
}

static bool expected(struct slice allowed, struct slice origin, struct slice host)
{
	if (slice_equal(allowed, SLICE("*")))
		return true;
	if (!origin.at)
		return slice_equal(allowed, SLICE("none"));
	if (slice_equal(allowed, SLICE("same-host")))
		return same_host(origin, host);
	return same_origin(origin, allowed);
}

/* A serialised origin is printable ASCII, with a host and nothing behind it. */
static void check_valid(struct slice origin)
{
	size_t n_slashes = 0;
	for (size_t i = 0; i < origin.len; i++) {
		MUST(origin.at[i] > ' ' && origin.at[i] < 0x7f);
		MUST(!strchr("@?#*%,\\", origin.at[i]));
		n_slashes += origin.at[i] == '/';
	}
	MUST(n_slashes == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_copy(fuzz_rest(data, size)), rest = text;
	struct slice origin = slice_cut(&rest, '\n'), host = slice_cut(&rest, '\n');
	struct slice allowed[ALLOWED_MAX];
	size_t n = 0;
	bool any = false;
	if (is_origin(origin))
		check_valid(origin);
	if (size && data[0] % 2)
		origin = (struct slice){ NULL, 0 };
	const struct origin_target target = { host, false }, over_tls = { host, true };
	while (rest.at && n < ALLOWED_MAX) {
		allowed[n] = slice_cut(&rest, '\n');
		bool alone = origin_is_allowed(&allowed[n], 1, origin, &target);
		MUST(alone || !origin_is_allowed(&allowed[n], 1, origin, &over_tls));
		MUST(alone == expected(allowed[n], origin, host));
		any = any || alone;
		n++;
	}
	MUST(origin_is_allowed(allowed, n, origin, &target) == any);
	fuzz_free(text);
	return 0;
}
