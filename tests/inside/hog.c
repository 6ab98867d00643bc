/*
 * usage: hog memory|bomb|print|ignore | fill PATH
 * Takes of a machine what there is, from inside of a stage, and does not end by itself.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void memory(void) __attribute__((noreturn));
static void memory(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		               -1, 0);

		if (p != MAP_FAILED)
			memset(p, 1, 1 << 20);
	}
}

/* Writes until it may not, then waits to be ended. */
static void fill(const char *path)
{
	static char chunk[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(fd, chunk, sizeof(chunk)) > 0)
		usleep(1000);
	sleep(5);
}

static void bomb(void) __attribute__((noreturn));
static void bomb(void)
{
	signal(SIGTERM, SIG_IGN);
	for (;;)
		if (fork() < 0)
			usleep(1000);
}

static void print(void)
{
	static char chunk[1 << 20];

	memset(chunk, '.', sizeof(chunk));
	for (int i = 0; i < 1024; i++)
		if (write(STDERR_FILENO, chunk, sizeof(chunk)) < 0)
			return;
}

/* ignore: ends by nothing but what cannot be ignored. */
static void ignore(void) __attribute__((noreturn));
static void ignore(void)
{
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "memory") == 0)
		memory();
	if (strcmp(what, "bomb") == 0)
		bomb();
	if (strcmp(what, "ignore") == 0)
		ignore();
	if (strcmp(what, "print") == 0)
		print();
	if (strcmp(what, "fill") == 0 && argc > 2)
		fill(argv[2]);
	return 2;
}
