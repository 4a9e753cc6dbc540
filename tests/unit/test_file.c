/* What a file may be, and how large. */
#include <errno.h>
#include <unistd.h>

#include "sluice/base/file.h"
#include "unit.h"

static char path[] = "/tmp/test_file.XXXXXX";

static int make_file(void **state)
{
	(void)state;
	int file = mkstemp(path);
	return file >= 0 && write(file, "0123456789", 10) == 10 ? close(file) : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void reads_a_whole_file(void **state)
{
	(void)state;
	struct buffer bytes;
	assert_int_equal(file_read(path, 10, &bytes), 0);
	assert_true(slice_equal(buffer_slice(&bytes), SLICE("0123456789")));
	buffer_finish(&bytes);
	/* stat(2) gives its size as 0 */
	assert_int_equal(file_read("/proc/self/cmdline", 65536, &bytes), 0);
	assert_true(bytes.len > 0);
	buffer_finish(&bytes);
}

static void refuses_what_it_cannot_read(void **state)
{
	(void)state;
	struct buffer bytes;
	assert_int_equal(file_read(path, 9, &bytes), -EFBIG);
	assert_int_equal(file_read("/dev/zero", 1 << 20, &bytes), -EFBIG);
	assert_int_equal(file_read("/nowhere/at/all", 9, &bytes), -ENOENT);
	assert_int_equal(file_read("/", 9, &bytes), -EISDIR);
	assert_null(bytes.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_file),
		cmocka_unit_test(refuses_what_it_cannot_read),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
