#include <errno.h>

#include "sluice/auth/expiry.h"
#include "sluice/auth/ticket.h"
#include "sluice/auth/tickets.h"
#include "unit.h"

static char longest[SESSION_ID_MAX + 1];

static void finds_the_ticket_of_a_request(void **state)
{
	(void)state;
	static const struct {
		const char *query, *offered;
		int error;
		const char *ticket;
	} cases[] = {
		{ NULL, NULL, -ENOENT, NULL },
		{ "", NULL, -ENOENT, NULL },
		{ "channel=a&tickets=b&xticket=c&Ticket=d", NULL, -ENOENT, NULL },
		{ "ticket=abc", NULL, 0, "abc" },
		{ "channel=a&ticket=A-Z_0.9~&b", NULL, 0, "A-Z_0.9~" },
		{ "ticket=a%2Fb%2Bc%3D", NULL, 0, "a/b+c=" },
		{ "ticket=a/b+c==", NULL, 0, "a/b+c==" },
		{ NULL, "abc", 0, "abc" },
		{ "channel=a", "abc", 0, "abc" },
		{ "ticket", NULL, -EACCES, NULL },
		{ "ticket=", NULL, -EACCES, NULL },
		{ NULL, "", -EACCES, NULL },
		{ "ticket=a&ticket=a", NULL, -EACCES, NULL },
		{ "ticket=a", "a", -EACCES, NULL },
		{ "ticket=a%20b", NULL, -EACCES, NULL },
		{ "ticket=a%00", NULL, -EACCES, NULL },
		{ "ticket=a%0d%0aDEL", NULL, -EACCES, NULL },
		{ "ticket=a%2", NULL, -EACCES, NULL },
		{ "ticket=a:b", NULL, -EACCES, NULL },
		{ "ticket=*", NULL, -EACCES, NULL },
		{ NULL, "a*", -EACCES, NULL },
		{ NULL, longest, 0, longest },
	};
	memset(longest, 'x', SESSION_ID_MAX);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char room[SESSION_ID_MAX];
		struct slice ticket = { 0 };
		const char *problem = NULL;
		assert_int_equal(ticket_find(slice_of(cases[i].query), slice_of(cases[i].offered),
					 room, &ticket, &problem),
			cases[i].error);
		assert_true(slice_equal(ticket, slice_of(cases[i].ticket)));
		assert_true(cases[i].error != -EACCES || (problem && *problem));
	}
}

static void rejects_a_ticket_that_is_too_long(void **state)
{
	(void)state;
	char text[4 * SESSION_ID_MAX], room[SESSION_ID_MAX];
	struct slice ticket;
	const char *problem;
	memset(text, 'x', sizeof(text));
	for (size_t len = SESSION_ID_MAX - 1; len <= sizeof(text); len++)
		assert_int_equal(ticket_find((struct slice){ 0 }, slice_make(text, len), room,
					 &ticket, &problem),
			len <= SESSION_ID_MAX ? 0 : -EACCES);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "%78"[i % 3];
	assert_int_equal(ticket_find((struct slice){ 0 }, slice_make(text, 3 * SESSION_ID_MAX),
				 room, &ticket, &problem),
		0);
	assert_int_equal(ticket.len, SESSION_ID_MAX);
	assert_int_equal(ticket_find((struct slice){ 0 }, slice_make(text, 3 * SESSION_ID_MAX + 3),
				 room, &ticket, &problem),
		-EACCES);
}

static void reads_the_user_and_the_session(void **state)
{
	(void)state;
	const struct settings settings = { .session.user = SLICE("userId") };
	const struct settings strict = { .session.authenticated = SLICE("in") };
	static const struct {
		const char *json;
		int error, strict_error;
		const char *user, *session;
	} cases[] = {
		{ "{}", 0, -EACCES, NULL, NULL },
		{ "{\"userId\":\"u1\",\"in\":true}", 0, 0, "u1", NULL },
		{ "{\"userId\":7,\"session\":\"sess:4711\",\"in\":1}", 0, -EACCES, "7",
			"sess:4711" },
		{ "{\"session\":\"\"}", 0, -EACCES, NULL, NULL },
		{ "{\"session\":{\"key\":\"a\"}}", 0, -EACCES, NULL, NULL },
		{ "{\"session\":[]}", 0, -EACCES, NULL, NULL },
		{ "{\"session\":null}", 0, -EACCES, NULL, NULL },
		{ "\"u1\"", -EACCES, -EACCES, NULL, NULL },
		{ "u1", -EACCES, -EACCES, NULL, NULL },
		{ "", -EACCES, -EACCES, NULL, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct identity identity;
		struct slice json = slice_of(cases[i].json);
		assert_int_equal(ticket_parse(&strict, json, &identity), cases[i].strict_error);
		if (!cases[i].strict_error)
			identity_finish(&identity);
		assert_int_equal(ticket_parse(&settings, json, &identity), cases[i].error);
		if (cases[i].error)
			continue;
		assert_true(slice_equal(identity.user, slice_of(cases[i].user)));
		struct slice key;
		bool broken = strstr(cases[i].json, "session") && !cases[i].session &&
			      !strstr(cases[i].json, "null");
		assert_int_equal(ticket_session_key(&identity, &key), broken ? -EACCES : 0);
		assert_true(slice_equal(key, slice_of(cases[i].session)));
		identity_finish(&identity);
	}
}

static void applies_the_rules_for_records(void **state)
{
	(void)state;
	const struct settings settings = { .session.present = SLICE("user.id"),
		.session.expires = SLICE("until") };
	static const struct {
		const char *json;
		int error;
	} cases[] = {
		{ "{\"user\":{\"id\":7}}", 0 },
		{ "{\"user\":{\"id\":null}}", -EACCES },
		{ "{}", -EACCES },
		{ "{\"user\":{\"id\":7},\"until\":1000}", -EACCES },
		{ "{\"user\":{\"id\":7},\"until\":9007199254740991}", 0 },
		{ "{\"user\":{\"id\":7},\"until\":\"soon\"}", -EACCES },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct identity identity;
		int error = ticket_parse(&settings, slice_of(cases[i].json), &identity);
		assert_int_equal(error, cases[i].error);
		if (!error)
			identity_finish(&identity);
	}
}

static void has_fields_of_its_own_beside_cookies(void **state)
{
	(void)state;
	const struct settings settings = { .session.cookie = SLICE("sid"),
		.session.authenticated = SLICE("authenticated"),
		.session.present = SLICE("passport.user"),
		.session.user = SLICE("passport.user"),
		.session.expires = SLICE("cookie.expires") };
	static const struct {
		const char *json;
		int error;
		const char *user;
	} cases[] = {
		{ "{\"userId\":\"u1\",\"teams\":[\"red\"]}", 0, "u1" },
		{ "{\"userId\":7,\"passport\":{\"user\":8}}", 0, "7" },
		{ "{\"userId\":7,\"authenticated\":false}", 0, "7" },
		{ "{\"userId\":7,\"cookie\":{\"expires\":1000}}", 0, "7" },
		{ "{\"passport\":{\"user\":8}}", 0, NULL },
		{ "[]", -EACCES, NULL },
		{ "7", -EACCES, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct identity identity;
		int error = ticket_parse(&settings, slice_of(cases[i].json), &identity);
		assert_int_equal(error, cases[i].error);
		if (error)
			continue;
		assert_true(slice_equal(identity.user, slice_of(cases[i].user)));
		identity_finish(&identity);
	}
}

static void keeps_a_value_for_each_owner(void **state)
{
	(void)state;
	struct tickets tickets = { 0 };
	int a = 0, b = 0, c = 0;
	assert_null(tickets_kept(&tickets, &a).at);
	assert_int_equal(tickets_keep(&tickets, &a, SLICE("{}"), EXPIRY_NEVER), 0);
	assert_int_equal(tickets_keep(&tickets, &b, SLICE("{\"b\":1}"), EXPIRY_NEVER), 0);
	assert_int_equal(tickets_keep(&tickets, &b, SLICE("{\"b\":2}"), EXPIRY_NEVER), -EEXIST);
	assert_true(slice_equal(tickets_kept(&tickets, &a), SLICE("{}")));
	assert_true(slice_equal(tickets_kept(&tickets, &b), SLICE("{\"b\":1}")));
	assert_null(tickets_kept(&tickets, &c).at);
	tickets_forget(&tickets, &c);
	tickets_forget(&tickets, &a);
	tickets_forget(&tickets, &a);
	assert_null(tickets_kept(&tickets, &a).at);
	assert_int_equal(tickets_keep(&tickets, &c, SLICE("{}"), EXPIRY_NEVER), 0);
	tickets_forget(&tickets, &b);
	assert_null(tickets_kept(&tickets, &b).at);
	assert_true(slice_equal(tickets_kept(&tickets, &c), SLICE("{}")));
	tickets_forget(&tickets, &c);
	assert_null(tickets_kept(&tickets, &c).at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_ticket_of_a_request),
		cmocka_unit_test(rejects_a_ticket_that_is_too_long),
		cmocka_unit_test(reads_the_user_and_the_session),
		cmocka_unit_test(applies_the_rules_for_records),
		cmocka_unit_test(has_fields_of_its_own_beside_cookies),
		cmocka_unit_test(keeps_a_value_for_each_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
