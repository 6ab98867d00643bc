/*
 * A seccomp filter in classic BPF. Each ABI of the machine has its own numbers and gets its own
 * block; what a block does not name is allowed, and so is an ABI without a block.
 */
#include "sandbox/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/array.h"

/* Bit of the calls of x86-64's second ABI, x32; set in -1 too, by which a tracer skips a call. */
enum { X32_BIT = 0x40000000 };

struct abi {
	uint32_t arch, socket;
	uint32_t absent[5]; /* ENOSYS; 0 ends the list where it is shorter */
	bool x32;
};

static const struct abi abis[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, SYS_socket, { SYS_keyctl, SYS_add_key, SYS_request_key, 425 }, true },
	/* The first is socketcall(2), whose family no filter can see; socket(2) is there as well. */
	{ AUDIT_ARCH_I386, 359, { 102, 286, 287, 288, 425 }, false },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64,
	  SYS_socket,
	  { SYS_keyctl, SYS_add_key, SYS_request_key, 425 },
	  false },
	{ AUDIT_ARCH_ARM, 281, { 309, 310, 311, 425 }, false },
#endif
};

static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

enum { FILTER_MAX = 128 };

struct filter {
	struct sock_filter code[FILTER_MAX];
	size_t n;
};

static void add(struct filter *f, struct sock_filter instruction)
{
	bug_on(f->n == FILTER_MAX);
	f->code[f->n++] = instruction;
}

static void load(struct filter *f, size_t offset)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct filter *f, uint32_t what)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Answers where what was loaded is (or, for BPF_JGE, is at least) the value. */
static void answer_if(struct filter *f, uint16_t test, uint32_t value, uint32_t what)
{
	add(f, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | test | BPF_K), value, 0, 1));
	answer(f, what);
}

static void add_abi(struct filter *f, const struct abi *abi)
{
	const uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;
	size_t other;

	load(f, offsetof(struct seccomp_data, arch));
	other = f->n;
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->arch, 0, 0));
	load(f, offsetof(struct seccomp_data, nr));
	if (abi->x32) {
		answer_if(f, BPF_JEQ, ~0u, SECCOMP_RET_ALLOW);
		answer_if(f, BPF_JGE, X32_BIT, absent);
	}
	for (size_t i = 0; i < ARRAY_LEN(abi->absent) && abi->absent[i]; i++)
		answer_if(f, BPF_JEQ, abi->absent[i], absent);
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->socket, 1, 0));
	answer(f, SECCOMP_RET_ALLOW);
	load(f, offsetof(struct seccomp_data, args)); /* an int: the low half, which is first */
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		answer_if(f, BPF_JEQ, families[i], SECCOMP_RET_ALLOW);
	answer(f, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	f->code[other].jf = (uint8_t)(f->n - other - 1);
}

static void make(struct filter *f)
{
	f->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(abis); i++)
		add_abi(f, &abis[i]);
	answer(f, SECCOMP_RET_ALLOW);
}

void sandbox_filter_write(struct buf *buf)
{
	struct filter f;

	make(&f);
	buf_add(buf, f.code, f.n * sizeof(f.code[0]));
}

int sandbox_filter_apply(struct err *err)
{
	struct filter f;
	struct sock_fprog program = { .filter = f.code };

	make(&f);
	program.len = (unsigned short)f.n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return err_sys(err, ERR_MACHINE, "cannot filter system calls");
	return 0;
}
