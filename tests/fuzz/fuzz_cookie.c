/* From a Cookie header to a session id: cookie_find, cookie_decode, percent_decode,
 * session_cookie_read and _verify. The first byte chooses the room for the value and the settings
 * of session_cookie_read. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/http/cookie.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/proto/text/percent.h"
#include "utf8_reference.h"

static const struct slice NAME = { "connect.sid", 11 };
static const struct slice SECRETS[] = { { "keyboard cat", 12 }, { "", 0 }, { "older", 5 } };

/* The value in a block of exactly `size`. */
static ssize_t get(struct slice header, size_t size, struct slice *ret_value)
{
	char *value = malloc(size);
	MUST(value || size == 0);
	struct slice raw = cookie_find(header, NAME);
	ssize_t len = raw.at ? cookie_decode(raw, value, size) : -ENOENT;
	MUST(len <= (ssize_t)size);
	*ret_value = slice_make(value, len < 0 ? 0 : (size_t)len);
	return len;
}

static void check_same(ssize_t len, struct slice value, struct slice header)
{
	struct slice again;
	ssize_t len_again = get(header, header.len, &again);
	MUST(len_again == len && slice_equal(again, value));
	fuzz_free(again);
}

/* Cookies of other names before it, and of its own name behind it, change nothing. */
static void check_neighbours(ssize_t len, struct slice value, struct slice header)
{
	struct buffer more = { 0 };
	fuzz_printf(&more, "other=1; Connect.sid=2; connect.sid; ");
	fuzz_append(&more, header);
	check_same(len, value, buffer_slice(&more));
	fuzz_printf(&more, "; connect.sid=last");
	if (len >= 0)
		check_same(len, value, buffer_slice(&more));
	else
		check_same(4, SLICE("last"), buffer_slice(&more));
	buffer_finish(&more);
}

static void check_get(struct slice header, size_t room)
{
	struct slice value, small;
	ssize_t len = get(header, header.len, &value), small_len = get(header, room, &small);
	MUST(len >= 0 || len == -ENOENT); /* no value is longer than its header */
	if (len <= (ssize_t)room)
		MUST(small_len == len && slice_equal(small, value));
	else
		MUST(small_len == -EMSGSIZE);
	if (utf8_reference(header) == UTF8_VALID)
		MUST(utf8_reference(value) == UTF8_VALID);
	check_neighbours(len, value, header);
	fuzz_free(value);
	fuzz_free(small);
}

static void check_decode(struct slice text)
{
	struct slice decoded = fuzz_copy(text), again = { NULL, 0 };
	struct buffer escaped = { 0 };
	ssize_t len = percent_decode(text, (char *)(uintptr_t)decoded.at, text.len);
	if (len < 0) {
		MUST(len == -EINVAL && memchr(text.at, '%', text.len));
		fuzz_free(decoded);
		return;
	}
	decoded.len = (size_t)len;
	for (size_t i = 0; i < decoded.len; i++)
		fuzz_printf(&escaped, "%%%02x", (uint8_t)decoded.at[i]);
	again = fuzz_copy(buffer_slice(&escaped));
	len = percent_decode(buffer_slice(&escaped), (char *)(uintptr_t)again.at, decoded.len);
	MUST(len >= 0 && slice_equal(decoded, slice_make(again.at, (size_t)len)));
	buffer_finish(&escaped);
	fuzz_free(again);
	fuzz_free(decoded);
}

/* ---- signatures ---- */

/* Only a signed id may have a colon. */
static bool is_plain(enum session_signature form, struct slice sid)
{
	bool plain = sid.len > 0 && sid.len <= SESSION_ID_MAX;
	for (size_t i = 0; i < sid.len && plain; i++)
		plain = (sid.at[i] == ':' && form != SESSION_SIGNATURE_NONE) ||
			(sid.at[i] && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					     "0123456789_.~+/=,@!$|-",
					      sid.at[i]));
	return plain;
}

static bool signs(
	enum session_signature form, struct slice secret, struct slice sid, struct slice value)
{
	char made[SESSION_COOKIE_MAX];
	ssize_t len = session_cookie_sign(form, secret, sid, made, sizeof(made));
	return secret.len && len > 0 && slice_equal(slice_make(made, (size_t)len), value);
}

/* An accepted value has exactly the text that one of the secrets makes. */
static void check_verify(enum session_signature form, struct slice value)
{
	struct slice sid;
	if (session_cookie_verify(form, SECRETS, COUNT_OF(SECRETS), value, &sid) != 0)
		return;
	MUST(is_plain(form, sid) && value.len <= SESSION_COOKIE_MAX);
	MUST(sid.at >= value.at && sid.at + sid.len <= value.at + value.len);
	if (form == SESSION_SIGNATURE_DOT_HMAC_SHA256 && value.at[value.len - 1] == '=')
		value.len--;
	bool good = form == SESSION_SIGNATURE_NONE && slice_equal(sid, value);
	for (size_t i = 0; i < COUNT_OF(SECRETS); i++)
		good = good || signs(form, SECRETS[i], sid, value);
	MUST(good);
}

/* A plain id that the backend signs is accepted by the secret that signed it and by no other. */
static void check_sign(enum session_signature form, struct slice sid)
{
	char made[SESSION_COOKIE_MAX];
	struct slice found;
	ssize_t len = session_cookie_sign(form, SECRETS[0], sid, made, sizeof(made));
	if (len < 0) {
		MUST(len == -EMSGSIZE && sid.len + 46 > sizeof(made));
		return;
	}
	struct slice value = slice_make(made, (size_t)len);
	bool good = session_cookie_verify(form, SECRETS, COUNT_OF(SECRETS), value, &found) == 0;
	MUST(good == is_plain(form, sid));
	MUST(!good || slice_equal(found, sid));
	if (form != SESSION_SIGNATURE_NONE)
		MUST(session_cookie_verify(form, SECRETS + 1, 2, value, &found) == -EACCES);
}

static void check_signatures(struct slice text)
{
	static const enum session_signature forms[] = { SESSION_SIGNATURE_CONNECT,
		SESSION_SIGNATURE_DOT_HMAC_SHA256, SESSION_SIGNATURE_ITSDANGEROUS,
		SESSION_SIGNATURE_NONE };
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		check_verify(forms[i], text);
		check_sign(forms[i], text);
	}
}

/* In every encoding and form, an accepted id is plain and lies in the room. */
static void check_read(struct slice header, unsigned choice)
{
	struct session_cookie_settings settings = {
		.name = NAME,
		.prefixes = choice & 1,
		.encoding = (enum session_cookie_encoding)(choice / 2 % 3),
		.signature = (enum session_signature)(choice / 6 % (SESSION_SIGNATURE_NONE + 1)),
		.secrets = SECRETS,
		.n_secrets = COUNT_OF(SECRETS),
		.duplicates = (enum session_duplicates)(choice / 36 % 3),
		.plain = choice >= 128,
	};
	char *room = malloc(SESSION_COOKIE_MAX);
	struct slice sid;
	size_t at = 0, n = 0;
	int error;
	MUST(room);
	do {
		size_t from = at;
		error = session_cookie_read(&settings, header, &at, room, &sid);
		MUST(error == 0 || error == -ENOENT || error == -EACCES);
		MUST(at <= header.len && (error || (at > from && ++n)));
		enum session_signature form =
			settings.plain ? SESSION_SIGNATURE_NONE : settings.signature;
		if (!error)
			MUST(is_plain(form, sid) && sid.at >= room &&
				sid.at + sid.len <= room + SESSION_COOKIE_MAX);
	} while (!error);
	MUST(n <= 1 || settings.duplicates == SESSION_DUPLICATES_EACH);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice header = fuzz_copy(fuzz_rest(data, size)), value;
	check_get(header, size ? data[0] : 0);
	check_read(header, size ? data[0] : 0);
	check_decode(header);
	if (get(header, header.len, &value) >= 0)
		check_signatures(value);
	check_signatures(header);
	fuzz_free(value);
	fuzz_free(header);
	return 0;
}
