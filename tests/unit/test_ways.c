/* Which folders must be readable so that a file can be renewed. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/base/defs.h"
#include "sluice/process/sandbox/ways.h"
#include "unit.h"

struct found {
	char text[4096];
};

static void note(void *context, const char *folder)
{
	struct found *found = context;
	size_t len = strlen(found->text);
	snprintf(found->text + len, sizeof(found->text) - len, "%s\n", folder);
}

static void cuts_the_last_part(void **state)
{
	static const char *const rows[][2] = { { "/a/b", "/a" }, { "/a", "/" }, { "a", "." },
		{ "a/b", "a" }, { "/a/b//", "/a" }, { "/", "/" }, { "", "." } };
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s", rows[i][0]);
		ways_cut_last(path);
		assert_string_equal(path, rows[i][1]);
	}
}

/* Makes a folder with what the rows of the test need, and makes it the current one. */
static void enter_folder(char folder[64])
{
	strcpy(folder, "/tmp/sluice-ways-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("mount", 0700), 0);
	assert_int_equal(symlink("..1", "mount/..data"), 0);
	assert_int_equal(symlink("..data/sluice.json", "mount/sluice.json"), 0);
	assert_int_equal(symlink("../../archive/x/cert1.pem", "cert.pem"), 0);
	assert_int_equal(symlink("/srv/releases/7", "current"), 0);
	assert_int_equal(symlink("round", "round"), 0);
}

static void leave_folder(const char *folder)
{
	static const char *const names[] = { "mount/..data", "mount/sluice.json", "cert.pem",
		"current", "round" };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unlink(names[i]);
	rmdir("mount");
	assert_int_equal(chdir("/"), 0);
	rmdir(folder);
}

static void finds_each_folder_on_the_way(void **state)
{
	static const char *const rows[][2] = {
		{ "plain.json", ".\n.\n" },
		{ "/srv/app/plain.json", "/srv/app\n/srv/app\n" },
		{ "mount/sluice.json", "mount\nmount/..data\nmount\nmount/..1\n" },
		{ "cert.pem", ".\n./../../archive/x\n./../../archive/x\n" },
		{ "current/key.pem", "current\n/srv/releases\n/srv/releases/7\n" },
	};
	char folder[64];
	(void)state;
	enter_folder(folder);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct found found = { "" };
		ways_each(rows[i][0], note, &found);
		assert_string_equal(found.text, rows[i][1]);
	}
	leave_folder(folder);
}

static void ends_on_links_in_a_circle_and_on_long_paths(void **state)
{
	static char path[2 * PATH_MAX];
	char folder[64];
	(void)state;
	enter_folder(folder);
	struct found found = { "" };
	ways_each("round", note, &found);
	assert_true(strlen(found.text) > 0);
	memset(path, 'a', sizeof(path) - 1);
	found = (struct found){ "" };
	ways_each(path, note, &found);
	assert_string_equal(found.text, "");
	path[PATH_MAX - 1] = 0;
	ways_each(path, note, &found);
	assert_string_equal(found.text, ".\n.\n");
	leave_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_the_last_part),
		cmocka_unit_test(finds_each_folder_on_the_way),
		cmocka_unit_test(ends_on_links_in_a_circle_and_on_long_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
