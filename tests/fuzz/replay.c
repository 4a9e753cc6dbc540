/* Runs a fuzz target over its corpus, without libFuzzer: an ordinary test, in every build.
 *
 *	replay_NAME FOLDER|FILE…
 *
 * Every file is run as it is and then with every other first byte, which costs little and makes
 * each seed a test of every chunking. Inputs are in blocks of their exact size. */
#include <dirent.h>
#include <limits.h>

#include "fuzz.h"

static unsigned n_files;

static struct buffer read_file(const char *path)
{
	struct buffer bytes = { 0 };
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	size_t n;
	do {
		MUST(buffer_reserve(&bytes, 4096) == 0);
		n = fread(bytes.bytes + bytes.len, 1, 4096, file);
		bytes.len += n;
	} while (n);
	fclose(file);
	return bytes;
}

static void run(struct slice input)
{
	struct slice copy = fuzz_copy(input);
	LLVMFuzzerTestOneInput((const uint8_t *)copy.at, copy.len);
	fuzz_free(copy);
}

static void run_file(const char *path)
{
	struct buffer bytes = read_file(path);
	/* the last line before an abort is the name of the file */
	printf("%s\n", path);
	fflush(stdout);
	run(buffer_slice(&bytes));
	for (unsigned first = 0; bytes.len && first <= UINT8_MAX; first++) {
		bytes.bytes[0] = (char)first;
		run(buffer_slice(&bytes));
	}
	buffer_finish(&bytes);
	n_files++;
}

static void run_folder(const char *path, DIR *folder)
{
	for (struct dirent *entry; (entry = readdir(folder));) {
		char file[PATH_MAX];
		if (entry->d_name[0] == '.')
			continue;
		MUST(snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) < PATH_MAX);
		run_file(file);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		if (!folder) {
			run_file(argv[i]);
			continue;
		}
		run_folder(argv[i], folder);
		closedir(folder);
	}
	printf("%u files\n", n_files);
	return n_files ? 0 : 1;
}
