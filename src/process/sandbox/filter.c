/* The kernel runs the program at every system call, from its first word to a return. Each row is
 *
 *	is it this number?    no: next row
 *	load an argument, mask it, is it this value?    no: load the number again, next row
 *	return the action
 *
 * One row after the other would cost a hundred comparisons a call, but since Linux 5.11 the kernel
 * remembers which calls are allowed whatever their arguments are, and does not run it for them. */
#include "sluice/process/sandbox/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

static void add(struct filter *filter, struct sock_filter word)
{
	MUST(filter->n < FILTER_WORDS_MAX);
	filter->words[filter->n++] = word;
}

static void add_load(struct filter *filter, size_t offset)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_return(struct filter *filter, uint32_t action)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Skips so many words unless the word that was loaded equals `value`. */
static void add_unless(struct filter *filter, uint32_t value, size_t skipped)
{
	add(filter, (struct sock_filter)BPF_JUMP(
			    BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)skipped));
}

/* The number of the call is loaded before and after. */
void filter_add(struct filter *filter, const struct filter_call *call, uint32_t action)
{
	enum { WORDS = 3 }; /* of a condition */
	size_t n = 0;
	while (n < FILTER_CONDITIONS_MAX && call->when[n].mask)
		n++;
	add_unless(filter, (uint32_t)call->number, n * WORDS + 1 + (n > 0));
	for (size_t i = 0; i < n; i++) {
		const struct filter_condition *condition = &call->when[i];
		add_load(filter, offsetof(struct seccomp_data, args) + condition->word * 4);
		add(filter,
			(struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, condition->mask));
		add_unless(filter, condition->value, (n - 1 - i) * WORDS + 1);
	}
	add_return(filter, action);
	if (n > 0)
		add_load(filter, offsetof(struct seccomp_data, nr));
}

void filter_add_number(struct filter *filter, int number, uint32_t action)
{
	filter_add(filter, &(struct filter_call){ .number = number }, action);
}

void filter_begin(struct filter *filter, uint32_t architecture)
{
	filter->n = 0;
	add_load(filter, offsetof(struct seccomp_data, arch));
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
	add_return(filter, SECCOMP_RET_ERRNO | EPERM);
	add_load(filter, offsetof(struct seccomp_data, nr));
}

void filter_end(struct filter *filter, uint32_t newest, uint32_t above, uint32_t others)
{
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest, 0, 1));
	add_return(filter, above);
	add_return(filter, others);
}

/* The call fails for all threads if one of them has a filter of its own. */
int filter_install(struct filter *filter)
{
	const struct sock_fprog program = { filter->n, filter->words };
	long result =
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (result > 0)
		return -EBUSY;
	return result < 0 ? -errno : 0;
}
