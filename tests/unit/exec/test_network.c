/*
 * No stage has a network. What Kiln fetches has this machine's: its names, its proxies, its
 * certificates; and no more of the machine than a stage.
 */
#include "unit/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/str.h"
#include "fakes/lab.h"
#include "sandbox/network.h"

/* A socket that listens on the machine's loopback, and its port as /proc/net/tcp writes it. */
static int listen_somewhere(char port[8])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	snprintf(port, 8, ":%04X", ntohs(address.sin_port));
	return fd;
}

static const char *count_script(struct lab *lab, const char *port)
{
	return arena_fmt(lab->arena, "grep -c '%s ' /proc/net/tcp || true", port);
}

static void stages_have_none(void **state)
{
	struct lab *lab = *state;
	char port[8];
	int fd = listen_somewhere(port);

	assert_string_equal(lab_out(lab, count_script(lab, port)), "0\n");
	assert_string_equal(lab_out(lab, "grep -c . /etc/resolv.conf || true"), "0\n");
	assert_string_equal(lab_out(lab, "ls /tmp | grep -c . || true"), "0\n");
	close(fd);
}

static void fetching_has_the_machines(void **state)
{
	struct lab *lab = *state;
	static const struct action_env proxies[] = { { "https_proxy", "http://127.0.0.1:9" },
		                                     { "no_proxy", "example.org" } };
	struct sandbox_network network = { proxies, ARRAY_LEN(proxies), NULL };
	struct action env = { .argv = LAB_LIST("env"), .n_argv = 1 };
	_cleanup_free_ char *ca = str_fmt("%s/ca.pem", lab->dir);
	struct exec_completion c;
	char port[8];
	int fd = listen_somewhere(port), dir = test_open_dir(lab->dir);

	test_write(dir, "ca.pem", "certificates\n", 0600);
	network.ca = ca;
	lab->network = &network;
	assert_string_equal(lab_out(lab, count_script(lab, port)), "1\n");
	assert_string_equal(lab_out(lab, "cat /tmp/kiln-ca.pem; id -u"), "certificates\n1000\n");
	if (access("/etc/resolv.conf", R_OK) == 0) {
		_cleanup_free_ char *names = test_read(AT_FDCWD, "/etc/resolv.conf");

		assert_string_equal(lab_out(lab, "cat /etc/resolv.conf"), names);
	}
	lab_submit(lab, &env, 0, 1);
	lab_wait(lab, &c);
	assert_string_equal(
		lab_text(lab, &c.result.out),
		"CARGO_HTTP_CAINFO=/tmp/kiln-ca.pem\nHOME=/tmp\nKILN_JOBS=3\nMAKEFLAGS= -j3\n"
		"PATH=/usr/bin:/bin\nSOURCE_DATE_EPOCH=1700000000\n"
		"SSL_CERT_FILE=/tmp/kiln-ca.pem\nhttps_proxy=http://127.0.0.1:9\n"
		"no_proxy=example.org\nPWD=/build\n");
	lab->network = NULL;
	close(fd);
	close(dir);
}

static void certificates_that_are_not_there(void **state)
{
	struct lab *lab = *state;
	static const struct sandbox_network network = { NULL, 0, "/nowhere/ca.pem" };
	struct action action = { .argv = LAB_LIST("true"), .n_argv = 1 };
	struct exec_completion c;

	lab->network = &network;
	lab_submit(lab, &action, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_contains(c.err.cause, "/nowhere/ca.pem");
	lab->network = NULL;
}

/* What the machine says about itself. */
static void machine_is_read(void **state)
{
	struct lab *lab = *state;
	struct sandbox_network network;

	assert_int_equal(setenv("https_proxy", "http://proxy", 1), 0);
	assert_int_equal(setenv("no_proxy", "", 1), 0);
	assert_int_equal(setenv("HTTP_PROXY", "http://not-this", 1), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", "/some/bundle", 1), 0);
	sandbox_network_of_machine(lab->arena, &network);
	assert_string_equal(network.ca, "/some/bundle");
	for (size_t i = 0; i < network.n_env; i++) {
		assert_string_not_equal(network.env[i].name, "HTTP_PROXY");
		assert_string_not_equal(network.env[i].value, "");
		assert_true(i == 0 || strcmp(network.env[i - 1].name, network.env[i].name) < 0);
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_have_none),
		cmocka_unit_test(fetching_has_the_machines),
		cmocka_unit_test(certificates_that_are_not_there),
		cmocka_unit_test(machine_is_read),
	};

	return cmocka_run_group_tests_name("exec/network", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
