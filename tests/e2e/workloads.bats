# Workloads of every shape over a small project made for the test: scripts that call several programs,
# a server with its clients, cases, filters; what each leaves, and what is said when one fails.
# shellcheck disable=SC2154 # stderr is from run, x86 from the helper
load helper

setup() {
	e2e_setup
	project
}

arm=aarch64-unknown-linux-gnu

# ./net: a server that counts digits (and, asked with a '?', letters), a client, a filter.
project() {
	mkdir -p net/src net/work/bench net/work/train net/work/held
	cat >net/src/server.c <<-'C'
	#include <arpa/inet.h>
	#include <signal.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/socket.h>
	#include <unistd.h>
	static volatile sig_atomic_t stopped;
	static void stop(int sig) { stopped = sig; }
	static int digits(const char *s) { int n = 0; for (; *s; s++) n += *s >= '0' && *s <= '9'; return n; }
	__attribute__((noinline)) static int letters(const char *s) { int n = 0; for (; *s; s++) n += *s >= 'a' && *s <= 'z'; return n; }
	int main(int argc, char **argv)
	{
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		const char *how = argc > 2 ? argv[2] : "";
		struct sigaction action = { .sa_handler = stop };
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (!strcmp(how, "dies")) { fprintf(stderr, "cannot read my configuration\n"); return 3; }
		if (!strcmp(how, "idles")) { fprintf(stderr, "thinking\n"); sleep(60); }
		if (strcmp(how, "deaf")) sigaction(SIGTERM, &action, NULL);
		if (bind(fd, (void *)&at, sizeof(at)) || listen(fd, 8)) { perror("server"); return 1; }
		printf("listening\n");
		while (!stopped) {
			char line[4096] = "", out[64];
			int c = accept(fd, NULL, NULL);

			if (c < 0) continue;
			if (read(c, line, sizeof(line) - 1) > 0) {
				snprintf(out, sizeof(out), "%d\n", line[0] == '?' ? letters(line) : digits(line));
				if (write(c, out, strlen(out)) < 0) return 2;
			}
			close(c);
		}
		if (!strcmp(how, "hasty")) _exit(0);
		return 0;
	}
	C
	cat >net/src/client.c <<-'C'
	#include <arpa/inet.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/socket.h>
	#include <unistd.h>
	int main(int argc, char **argv)
	{
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		char line[4096];

		while (fgets(line, sizeof(line), stdin)) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);
			ssize_t n;

			if (connect(fd, (void *)&at, sizeof(at))) { perror("client"); return 1; }
			if (write(fd, line, strlen(line)) < 0) return 1;
			while ((n = read(fd, line, sizeof(line))) > 0) fwrite(line, 1, n, stdout);
			close(fd);
		}
		return 0;
	}
	C
	cat >net/src/ones.c <<-'C'
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <time.h>
	#include <unistd.h>
	static int ones(FILE *in) { int c, n = 0; while ((c = getc(in)) != EOF) n += c == '1'; return n; }
	int main(int argc, char **argv)
	{
		FILE *in = argc > 1 && argv[argc - 1][0] != '-' ? fopen(argv[argc - 1], "r") : stdin;
		char when[40];
		time_t now = time(NULL);
		struct timespec exact;

		if (!in) return 2;
		if (argc > 1 && !strcmp(argv[1], "-t")) {
			clock_gettime(CLOCK_REALTIME, &exact);
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", gmtime(&now));
			printf("%s.%09ld ones[%d]: begins\n", when, exact.tv_nsec, getpid() + (int)(exact.tv_nsec % 7000));
			printf("took %ld ns /tmp/x\n", exact.tv_nsec);
		}
		if (argc > 1 && !strcmp(argv[1], "-s")) for (;;) sleep(1);
		printf("%d\n", ones(in));
		return argc > 1 && !strcmp(argv[1], "-f") ? 5 : 0;
	}
	C
	printf 'all: server client ones\n%%: %%.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<\n' >net/src/Makefile
	echo MIT >net/src/LICENSE
	seq 200 >net/work/train/numbers.txt
	(seq 300 && echo '?letters') >net/work/held/lines.txt
	printf '%s\n' '#!/bin/sh' 'set -eu' 'for i in 1 2 3; do ones <"$1"; done' 'seq 100 | jq -s add' >net/work/bench/ones.sh
	chmod +x net/work/bench/ones.sh
	recipe
}

# Writes the recipe: the server's command line behind its port, further members of train, of holdout.
recipe() {
	cat >net/kiln.lua <<-LUA
	local count = file "train/numbers.txt"
	return release {
	  api = 1, name = "net", version = "1.0", license = "MIT", date = 1700000000,
	  source = folder "src", work = folder "work",
	  build = make.build { args = { "all" }, bins = { "server", "client", "ones" } },
	  targets = { "$x86"${4:-} },
	  train = {
	    script = run { script "bench/ones.sh", count, bins = { "ones" }, tools = { "jq", "curl" } },
	    server = serve { bin "server", 8080, ${1:-} ready = tcp(8080, 2), run = run { bin "client", 8080, stdin = count } },
	    ${2:-}
	  },
	  holdout = {
	    script = run { script "bench/ones.sh", file "held/lines.txt" },
	    server = serve { bin "server", 8080, ready = tcp(8080), run = {
	      run { bin "client", 8080, stdin = file "held/lines.txt" },
	      run { tool "curl", "-sS", "--http0.9", "http://127.0.0.1:8080/2024" },
	    } },
	    ${3:-}
	  },
	  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
	  files = { "LICENSE" },
	  packages = { archive { "tar.gz" } },
	}
	LUA
}

# A tool of the image, which needs the image's own libraries.
in_image() {
	local root tool=$1
	shift
	root=$(echo "$KILN_STORE"/images/*/root | cut -d' ' -f1)
	"$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/llvm-19/lib:$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/lib/llvm-19/bin/$tool" "$@"
}

# One stage of the x86_64 build, which must fail with these texts in the report.
fails_with() {
	local stage=$1 text
	shift
	run --separate-stderr "$KILN" -C net build --progress plain --target "$x86" "$stage"
	echo "$stderr"
	[ "$status" -eq 1 ]
	for text in "$@"; do [[ $stderr == *"$text"* ]]; done
}

@test "a script and a server train all their programs, for this machine and under an emulator" {
	recipe '' '' '' ", \"$arm\""
	"$KILN" -C net release --unsigned --progress plain -o "$PWD/dist" 2>log || { cat log; false; }
	for triple in "$x86" "$arm"; do
		dist=dist/net-1.0/net-1.0-$triple
		in_image llvm-profdata show --all-functions --counts "$dist.profdata" >counts
		# The server's main ran once, the client's once, the script's program three times.
		# (What main calls is inlined before it is counted.)
		[ "$(grep -A3 '^  main:' counts | grep -c 'Block counts: .*[1-9]')" -eq 3 ]
		[ "$(grep -A3 '^  main:' counts | grep -c 'Block counts: .*\b200\b')" -eq 2 ]
		grep -A3 '^  main:' counts | grep -q 'Block counts: .*\b3, '
		# BOLT's profiles: each program has one of its own.
		for name in server client ones; do grep -q ' main ' "$dist-$name.fdata"; done
		grep -q ' _start 0 0 3$' "$dist-ones.fdata"
		grep -q ' _start 0 0 1$' "$dist-client.fdata"
		grep -q "$triple  *held-out runs spend .* % of their execution in 1 function that training never ran: letters" log
		jq -e --arg triple "$triple" '.targets[$triple].unseen | .functions == 1 and .most[0].name == "server.c;letters"' \
			dist/net-1.0/net-1.0.verdict.json
		tar -xzf "$dist.tar.gz"
		for name in server client ones; do
			readelf -SW "net-1.0-$triple/bin/$name" | grep -q '\.bolt\.org\.text'
		done
	done
	# Their output: the clients' only, one after the other.
	"$KILN" -C net log "$x86/plain/holdout-server" | grep -q listening
	"$KILN" -C net get "$x86/plain/holdout-server:@stdout" "$PWD/out"
	[ "$(tail -n 2 out/* | head -n 1)" = 7 ]
	[[ $(tail -n 1 out/*) =~ ^[0-9]+$ ]]
}

@test "what training never saw is measured where a run trains, and then stands in the lock" {
	"$KILN" -C net lock --progress plain 2>log
	grep -q 'that training never ran: letters' log
	jq -e --arg triple "$x86" '.recipes.net[$triple].verdict.unseen.functions == 1' net/kiln.lock
	cp net/kiln.lock before.lock
	# A second lock keeps it, a release shows it; neither runs the program that counts.
	"$KILN" -C net lock --progress plain 2>log
	refute grep -q '\(start\|done\|cached\) .*/\(count-\|unseen\|instrument\)' log
	cmp net/kiln.lock before.lock
	"$KILN" -C net release --unsigned --progress plain -o "$PWD/dist" 2>log
	grep -q 'that training never ran: letters' log
	refute grep -q '\(start\|done\|cached\) .*/\(count-\|unseen\|instrument\|train-\)' log
	# Held-out runs of other data: measured anew by a lock, though nothing is trained.
	seq 300 >net/work/held/lines.txt
	"$KILN" -C net lock --progress plain 2>log
	grep -q 'training ran every function that the held-out runs need' log
	refute grep -q '\(start\|done\) .*/train-' log
	jq -e --arg triple "$x86" '.recipes.net[$triple].verdict.unseen.functions == 0' net/kiln.lock
	# Other data to train on: the profile that fits stays, until it is asked for; measured either way.
	seq 250 >net/work/train/numbers.txt
	(seq 300 && echo '?letters') >net/work/held/lines.txt
	jq --arg triple "$x86" '.recipes.net[$triple] | del(.verdict)' net/kiln.lock >pinned
	"$KILN" -C net lock --progress plain 2>log
	jq --arg triple "$x86" '.recipes.net[$triple] | del(.verdict)' net/kiln.lock | cmp - pinned
	"$KILN" -C net lock --train --progress plain 2>log
	grep -q 'that training never ran: letters' log
	refute cmp -s <(jq --arg triple "$x86" '.recipes.net[$triple] | del(.verdict)' net/kiln.lock) pinned
	jq -e --arg triple "$x86" '.recipes.net[$triple].verdict.unseen.functions == 1' net/kiln.lock
}

@test "a server that fails says how: dead, never ready, deaf to its signal, without a profile" {
	recipe '"dies",'
	fails_with pgo+lto/train-server "the server ended with status 3 before it listened on port 8080" \
		"cannot read my configuration" "recipe   kiln.lua:9"
	recipe '"idles",'
	fails_with pgo+lto/train-server "the server does not listen on port 8080 after 2 s" "thinking" "tcp(PORT, SECONDS)"
	recipe '"deaf",'
	fails_with pgo+lto/train-server "SIGTERM ended the server itself" "its profile is never written"
	recipe '"hasty",'
	fails_with pgo+lto/train-server "the server ended and wrote no profile" "not by _exit()"
	sed -i 's/pgo = true/pgo = false/; s/ship = "pgo+lto+bolt"/ship = "lto+bolt"/' net/kiln.lua
	fails_with lto+bolt/train-server "wrote no profile"
}

@test "a program that a script says it runs, and does not, is found by either profile" {
	sed -i -e 's/bins = { "ones" }/bins = { "ones", "client", "server" }/' -e '/tcp(8080, 2)/d' net/kiln.lua
	fails_with pgo+lto/rebuild "hash mismatch" "a program that no training run really runs has none"
	sed -i 's/pgo = true/pgo = false/; s/ship = "pgo+lto+bolt"/ship = "lto+bolt"/' net/kiln.lua
	fails_with lto+bolt/profile-client "no run left an fdata file" 'bins = { … } in run { }'
}

@test "what an image lacks is said before the script runs; a tool adds it" {
	printf '%s\n' '#!/usr/bin/env tclsh' 'puts [exec ones << 111]' >net/work/bench/a.tcl
	chmod +x net/work/bench/a.tcl
	recipe '' 'tcl = run { script "bench/a.tcl", bins = { "ones" } },'
	fails_with pgo+lto/train-tcl "the image has no program tclsh" 'tools = { "NAME" }'
}

@test "a workload that wants a network is told what there is instead" {
	printf '%s\n' '#!/bin/bash' 'set -o pipefail' 'curl -sS https://example.org/data.csv | ones' >net/work/bench/ones.sh
	fails_with pgo+lto/train-script "Could not resolve host: example.org" \
		"try      a stage has no network, only a loopback of its own: give data by https { url, sha256 }"
	printf '%s\n' '#!/bin/bash' 'ones </dev/null; echo x >/dev/tcp/127.0.0.1/81' >net/work/bench/ones.sh
	fails_with pgo+lto/train-script "Connection refused" "run a server of the build by serve { }"
}

@test "filters: time stamps and process ids differ, are shown, and then are not compared" {
	recipe '' '' 'times = run { bin "ones", "-t", file "held/lines.txt", filters = { } },'
	fails_with plain/smoke "smoke case 'times' differs at line 1 (plain against itself" "begins" "filters = { … } in run { }"
	recipe '' '' 'times = run { bin "ones", "-t", file "held/lines.txt", filters = {
	  { regex = "^[0-9]{4}(-[0-9]{2}){2} ([0-9]{2}:){2}[0-9]{2}[.][0-9]+ ", replace = "" },
	  { regex = "([a-z]+)\\[[0-9]+\\]:", replace = "\\1:" },
	  { drop_lines = "took * ns *" },
	} },'
	"$KILN" -C net build --progress none --target "$x86" plain/smoke
	"$KILN" -C net get "$x86/plain/smoke" "$PWD/out"
	wanted=$(printf 'ones: begins\n%s\n' "$(grep -o 1 net/work/held/lines.txt | wc -l)" | sha256sum | cut -d' ' -f1)
	[ "$(jq -r .cases.times out/smoke.json)" = "$wanted" ]
	# A wrong expression is found when the recipe is read.
	sed -i 's/(\[a-z\]+)/([a-z]+/' net/kiln.lua
	run "$KILN" -C net plan
	[ "$status" -eq 3 ]
	[[ $output == *"kiln.lua:"*"is no extended regular expression"* ]]
}

@test "cases, exit codes and time limits" {
	recipe '' 'many = run { bin "ones", "-f", exit = { 5 }, cases = { a = { count, weight = 3 }, b = file "train/other.txt" } },'
	echo 11 >net/work/train/other.txt
	"$KILN" -C net build --progress plain --target "$x86" pgo+lto/profile 2>log
	"$KILN" -C net log "$x86/pgo+lto/train-many-a" >/dev/null
	"$KILN" -C net plan --json | jq -e '[.stages[] | select(.address | endswith("pgo+lto/profile")).argv[]] | contains(["--weighted-input=3,prof/0"])'
	sed -i 's/exit = { 5 }, //' net/kiln.lua
	fails_with pgo+lto/train-many-b "exit status 5" 'exit = { … } names the statuses that are right'
	recipe '' 'slow = run { bin "ones", "-s", timeout = 1 },'
	fails_with pgo+lto/train-slow "time limit" 'timeout = SECONDS a longer limit'
}

@test "copies below a folder of the other list are found, and what is marked as shared is none" {
	mkdir net/work/train/deep net/work/both
	cp net/work/train/numbers.txt net/work/held/copy.txt
	echo "color = red" | tee net/work/train/deep/a.conf >net/work/both/a.conf
	recipe '' 'deep = run { bin "ones", inputs = { dir "train" } },' 'deep = run { bin "ones", inputs = { dir "held" } },'
	run "$KILN" -C net build
	[ "$status" -eq 3 ]
	[[ $output == *'"held/copy.txt" is both in train (kiln.lua:'*': "train/numbers.txt") and in holdout'* ]]
	rm net/work/held/copy.txt
	cp net/work/both/a.conf net/work/held/
	run "$KILN" -C net build
	[ "$status" -eq 3 ]
	[[ $output == *'"held/a.conf" is both in train'*"shared = true"* ]]
	sed -i 's/dir "held" }/dir "held", file { "both\/a.conf", shared = true } }/' net/kiln.lua
	"$KILN" -C net plan >/dev/null
}

@test "a script without its run bit is refused with what to type" {
	chmod -x net/work/bench/ones.sh
	run "$KILN" -C net plan
	[ "$status" -eq 3 ]
	[[ $output == *'kiln.lua:8: run: script "bench/ones.sh" is not executable'*'chmod +x work/bench/ones.sh'*'git update-index --chmod=+x'* ]]
	chmod +x net/work/bench/ones.sh
	"$KILN" -C net plan >/dev/null
}

@test "what kiln init --pgo writes builds, with every program trained" {
	export GIT_CONFIG_GLOBAL=$PWD/gitconfig
	git config --global user.name Me
	git config --global user.email me@example.org
	mkdir -p own/bench
	cp net/src/ones.c own/
	cat >own/say.c <<-'C'
	#include <stdio.h>
	int main(int argc, char **argv)
	{
		if (argc > 1) { fprintf(stderr, "usage: say <FILE %s\n", argv[0]); return 2; }
		return 0;
	}
	C
	printf 'all: ones say\n%%: %%.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<\n' >own/Makefile
	printf 'install: all\n\tinstall ones say $(DESTDIR)/usr/bin\n' >>own/Makefile
	for i in 3 2 1; do seq $((i * 100)) >own/bench/$i.txt; done
	git -C own init -q
	git -C own add -A
	git -C own commit -qm one
	(cd own && "$KILN" init --pgo)
	cat own/kiln.lua
	git -C own add -A
	git -C own commit -qm two
	"$KILN" -C own build --progress plain pgo+lto+bolt/smoke 2>log || { cat log; false; }
	"$KILN" -C own log "$x86/pgo+lto/train-only2" | grep -q '^usage: say'
}
