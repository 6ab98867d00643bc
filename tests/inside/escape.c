/*
 * usage: escape ATTEMPT [WORD]...
 * Tries one way out of a stage, from inside. Ends with 3 when it was refused, after one line that says
 * how; with 0 when it came through, after a line that begins with THROUGH; with 2 when it could not even
 * be tried. Outside of a sandbox most come through, which is how a test knows that they are tried well.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THROUGH = 0, UNTRIED = 2, REFUSED = 3 };

static int through(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int through(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("THROUGH: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return THROUGH;
}

static int refused(const char *what)
{
	fprintf(stderr, "refused: %s: %s\n", what, strerror(errno));
	return REFUSED;
}

/* ---- the network --------------------------------------------------------------------------- */

static int connect_to(int family, const void *address, socklen_t n, const char *what)
{
	struct timeval wait = { .tv_sec = 2 };
	int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 0;

	if (sock < 0)
		return refused(what);
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(sock, address, n) < 0)
		return refused(what);
	return read(sock, &byte, 1) == 1 && byte == 'K' ? through("%s answers", what) :
	                                                  refused(what);
}

/* tcp4 ADDRESS PORT */
static int try_tcp4(char **words)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	address.sin_port = htons((uint16_t)atoi(words[1]));
	if (inet_pton(AF_INET, words[0], &address.sin_addr) != 1)
		return UNTRIED;
	return connect_to(AF_INET, &address, sizeof(address), words[0]);
}

/* tcp6 PORT */
static int try_tcp6(char **words)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };

	address.sin6_port = htons((uint16_t)atoi(words[0]));
	return connect_to(AF_INET6, &address, sizeof(address), "::1");
}

/* abstract NAME */
static int try_abstract(char **words)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n = strlen(words[0]);

	memcpy(address.sun_path + 1, words[0], n);
	return connect_to(AF_UNIX, &address,
	                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n),
	                  "an abstract socket");
}

/* unix PATH */
static int try_unix(char **words)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, words[0], sizeof(address.sun_path) - 1);
	return connect_to(AF_UNIX, &address, sizeof(address), "a socket by its path");
}

/* dns PORT: a question to a server on the loopback, to one far away, and to the resolver. */
static int try_dns(char **words)
{
	static const char *const servers[] = { "127.0.0.1", "192.0.2.53" };
	struct timeval wait = { .tv_sec = 1 };
	struct addrinfo *found = NULL;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char answer[64];

	if (sock < 0)
		return refused("dns");
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_in address = { .sin_family = AF_INET };

		address.sin_port = htons((uint16_t)(i ? 53 : atoi(words[0])));
		inet_pton(AF_INET, servers[i], &address.sin_addr);
		if (sendto(sock, "?", 1, 0, (struct sockaddr *)&address, sizeof(address)) < 0) {
			if (i == 0)
				return refused(servers[i]);
			continue;
		}
		if (recv(sock, answer, sizeof(answer), 0) > 0)
			return through("%s answers", servers[i]);
		if (i == 1)
			return through("a question left for %s", servers[i]);
	}
	if (getaddrinfo("kiln.example", "80", NULL, &found) == 0)
		return through("a name was resolved");
	return refused("dns");
}

/* Families that no namespace holds, and packets as they are. */
static int try_sockets(char **words)
{
	static const struct {
		int family, type, protocol;
	} sockets[] = { { AF_VSOCK, SOCK_STREAM, 0 },
		        { AF_PACKET, SOCK_RAW, 0x300 },
		        { AF_INET, SOCK_RAW, IPPROTO_ICMP },
		        { 38 /* AF_ALG */, SOCK_SEQPACKET, 0 },
		        { AF_BLUETOOTH, SOCK_RAW, 1 } };

	(void)words;
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		if (socket(sockets[i].family, sockets[i].type, sockets[i].protocol) >= 0)
			return through("a socket of family %d", sockets[i].family);
	return refused("sockets");
}

/* ---- files ---------------------------------------------------------------------------------- */

/* read PATH… */
static int try_read(char **words)
{
	for (; *words; words++) {
		int fd = open(*words, O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			return through("%s can be read", *words);
		if (!words[1])
			return refused(*words);
	}
	return UNTRIED;
}

static size_t hunted; /* files read */

static int has_mark(int fd, const char *mark)
{
	static char text[1 << 20];
	ssize_t n = read(fd, text, sizeof(text));

	hunted++;
	return n > 0 && memmem(text, (size_t)n, mark, strlen(mark)) != NULL;
}

/* Looks for a text in all files below a folder; no folder that leads back up. */
static int hunt(int dirfd, const char *path, const char *mark, int depth)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 || depth > 12 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int found = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!found && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;
		int file;

		if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
			continue;
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			found = strcmp(name, "kiln-own") != 0 && hunt(fd, name, mark, depth + 1);
			continue;
		}
		/* Links of /proc lead to what no path does. */
		if (!S_ISREG(st.st_mode) && !(S_ISLNK(st.st_mode) && depth == 3))
			continue;
		file = openat(fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (file < 0)
			continue;
		found = has_mark(file, mark);
		close(file);
		if (found)
			fprintf(stderr, "%s\n", name);
	}
	closedir(dir);
	return found;
}

/* hunt HALF HALF: a text that only what must not be seen has; it is in no argument as a whole. */
static int try_hunt(char **words)
{
	static const char *const ways[] = { "/", "/proc/1/root", "/proc/1/cwd",
		                            "/proc/self/cwd/.." };
	char mark[256];

	snprintf(mark, sizeof(mark), "%s%s", words[0], words[1]);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (hunt(AT_FDCWD, ways[i], mark, 0))
			return through("the text is below %s", ways[i]);
	if (hunted < 50)
		return UNTRIED;
	errno = ENOENT;
	return refused("a hunt through all files");
}

/* write: all places but those that are the stage's own. */
static int try_write(char **words)
{
	static const char *const places[] = { "/",         "/bin",    "/etc",
		                              "/usr",      "/root",   "/home",
		                              "/dev",      "/proc",   "/proc/sys",
		                              "/build/..", "/tmp/..", "/proc/1/root/etc" };

	(void)words;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/kiln-was-here", places[i]);
		if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
			return through("%s was made", path);
	}
	if (open("/etc/passwd", O_WRONLY | O_CLOEXEC) >= 0 || chmod("/etc/passwd", 0666) == 0 ||
	    unlink("/bin/sh") == 0 || rename("/etc/passwd", "/etc/kiln") == 0)
		return through("the image was changed");
	return refused("writing outside");
}

/* ---- privileges ----------------------------------------------------------------------------- */

static uint64_t status_of(const char *name)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *at;

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 16) : UINT64_MAX;
}

/* privileges: what it is born with, and calls that would give more. */
static int try_privileges(char **words)
{
	static const char *const sets[] = { "\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapBnd:",
		                            "\nCapAmb:" };
	struct timeval now = { 0 };

	(void)words;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (status_of(sets[i]) != 0)
			return through("%s is not empty", sets[i] + 1);
	if (status_of("\nNoNewPrivs:") != 1)
		return through("new privileges are possible");
	if (setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return through("it is somebody else");
	if (mount("none", "/tmp", "tmpfs", 0, NULL) == 0 ||
	    mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 || umount("/tmp") == 0 ||
	    chroot("/tmp") == 0)
		return through("it mounts");
	if (mknod("/build/disk", S_IFBLK | 0600, 0x800) == 0)
		return through("it makes devices");
	if (settimeofday(&now, NULL) == 0 || sethostname("x", 1) == 0)
		return through("it sets the machine's time or name");
	if (syscall(SYS_init_module, "", 0, "") == 0 || syscall(SYS_bpf, 5, NULL, 0) >= 0 ||
	    syscall(SYS_kexec_load, 0, 0, NULL, 0) == 0)
		return through("it changes the kernel");
	return refused("privileges");
}

/* calls: ways around a filter, and to files without a path. */
static int try_calls(char **words)
{
	struct {
		unsigned int bytes;
		int type;
		unsigned char handle[128];
	} handle = { .bytes = 8, .type = 1, .handle = { 2 } };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)words;
	if (syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY) >= 0)
		return through("a file was opened by its number");
	if (syscall(SYS_keyctl, 0, -3, 1) >= 0 ||
	    syscall(SYS_add_key, "user", "k", "v", 1, -3) >= 0)
		return through("it has a key ring");
	if (syscall(425 /* io_uring_setup */, 8, NULL) >= 0 || errno != ENOSYS)
		return through("io_uring is there");
	return refused("calls");
}

/* nested: namespaces of its own, in which it would be root. */
static int try_nested(char **words)
{
	(void)words;
	return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0 ?
	               through("a user namespace inside") :
	               refused("a user namespace inside");
}

/* setuid: a copy of this program, as its own; what it runs as then. */
static int try_setuid(char **words)
{
	char *again[] = { "mine", "who", NULL };
	uid_t uid = getuid();
	int status;
	pid_t pid;

	(void)words;
	if (system("cp /bin/escape mine 2>/dev/null || cat /bin/escape >mine; chmod 6755 mine") !=
	    0)
		return UNTRIED;
	pid = fork();
	if (pid == 0) {
		execv("./mine", again);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 99)
		return refused("a setuid file");
	if (WEXITSTATUS(status) != 0)
		return through("it ran as somebody else than %u", (unsigned int)uid);
	fputs("refused: a setuid file runs as whoever started it\n", stderr);
	return REFUSED;
}

static int try_who(char **words)
{
	(void)words;
	return geteuid() == getuid() && getegid() == getgid() ? 0 : 1;
}

/* mounts: one on which a setuid file would count. */
static int try_mounts(char **words)
{
	char line[4096];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	int n = 0;

	(void)words;
	while (mounts && fgets(line, sizeof(line), mounts)) {
		n++;
		if (!strstr(line, "nosuid"))
			return through("%s", line);
	}
	if (n < 4)
		return UNTRIED;
	errno = EPERM;
	return refused("setuid on every mount");
}

/* ---- other processes ------------------------------------------------------------------------ */

/* processes: signals and ptrace for all there may be. What the sandbox itself is made of is one. */
static int try_processes(char **words)
{
	pid_t self = getpid();
	int seen = 0;

	(void)words;
	for (pid_t pid = 2; pid < 70000; pid++) {
		if (pid == self || kill(pid, 0) < 0)
			continue;
		seen++;
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
			return through("process %d can be traced", (int)pid);
	}
	if (seen > 2)
		return through("%d processes are seen", seen);
	if (getppid() > 1 && kill(getppid(), SIGSTOP) == 0 && getppid() != 1)
		return through("its parent was stopped");
	return refused("other processes");
}

/* descriptors: anything open that it was not given. */
static int try_descriptors(char **words)
{
	(void)words;
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return through("descriptor %d is open", fd);
	return refused("descriptors");
}

/* daemon SECONDS: leaves one behind that has left everything, and is done. */
static int try_daemon(char **words)
{
	char *argv[] = { "sleep", words[0], NULL };

	if (fork() == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0) {
			for (int fd = 0; fd < 3; fd++)
				close(fd);
			execv("/bin/sleep", argv);
		}
		_exit(0);
	}
	wait(NULL);
	usleep(100000);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct attempt {
	const char *name;
	int words; /* at least */
	int (*fn)(char **words);
} attempts[] = {
	{ "tcp4", 2, try_tcp4 },
	{ "tcp6", 1, try_tcp6 },
	{ "abstract", 1, try_abstract },
	{ "unix", 1, try_unix },
	{ "dns", 1, try_dns },
	{ "sockets", 0, try_sockets },
	{ "read", 1, try_read },
	{ "hunt", 2, try_hunt },
	{ "write", 0, try_write },
	{ "privileges", 0, try_privileges },
	{ "calls", 0, try_calls },
	{ "nested", 0, try_nested },
	{ "setuid", 0, try_setuid },
	{ "who", 0, try_who },
	{ "mounts", 0, try_mounts },
	{ "processes", 0, try_processes },
	{ "descriptors", 0, try_descriptors },
	{ "daemon", 1, try_daemon },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(attempts[i].name, argv[1]) == 0 && argc - 2 >= attempts[i].words)
			return attempts[i].fn(argv + 2);
	fputs("usage: escape ATTEMPT [WORD]...\n", stderr);
	return UNTRIED;
}
