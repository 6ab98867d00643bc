# Building by increments: only what changed is compiled again, and nothing of it is ever released.
# shellcheck disable=SC2154 # status and output are from run, top from the helper
load helper

setup() {
	e2e_setup
	own_project
	for name in one two; do printf 'int %s(void) { return 1; }\n' $name >src/$name.c; done
	printf 'int one(void), two(void);\nint main(void) { return one() + two() - 2; }\n' >src/main.c
	printf '%s\n' 'app: main.o one.o two.o' '	$(CC) -o $@ $^' '%.o: %.c' '	$(CC) -c -o $@ $<' >src/Makefile
	cat >kiln.lua <<-LUA
		kiln.recipe { name = "dev-$(date +%s%N)", version = "1.0", license = "MIT", date = 1700000000 }
		local triple = "x86_64-unknown-linux-gnu"
		kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local build = stage.build { address = triple .. "/plain/build", argv = { "make", "-C", "src", "CC=clang" },
		  env = { PATH = "/usr/lib/llvm-19/bin:/usr/bin:/bin", NONCE = "$(date +%s%N)" },
		  inputs = { { at = "src", from = src } }, outputs = { "src/app" } }
		stage.run { address = triple .. "/plain/size", argv = { "sh", "-c", "wc -c <app >size" },
		  inputs = { { at = "app", from = build:at "src/app" } }, outputs = { "size" } }
	LUA
}

build() { "$KILN" build --offline --lock "$lock" --progress plain "$@" '*/size' 2>log || { cat log; return 1; }; }

# Sets `compiled`: the object files that make made in the last run of the folder that stays.
touched() { compiled=$(cd "$KILN_STORE"/dev/*/build/src && find . -name '*.o' -newer "$BATS_TEST_TMPDIR/mark" | sort | tr '\n' ' '); }

@test "one changed file is one compilation; the result is another's than the real one" {
	rm -rf "${KILN_STORE:?}/dev"
	touch "$BATS_TEST_TMPDIR/mark"
	build --dev
	grep -Eq ' [12] stages? run' log # the size may be known of another app
	grep -q '1 stage was built by increments: not for a release' log
	touched
	[ "$compiled" = "./main.o ./one.o ./two.o " ]
	build --dev
	grep -q 'nothing to do' log
	sleep 0.1
	touch "$BATS_TEST_TMPDIR/mark"
	sleep 0.1
	echo 'int one(void) { return 0; }' >src/one.c
	build --dev
	touched
	[ "$compiled" = "./one.o " ]
	# Within the same second, too.
	touch "$BATS_TEST_TMPDIR/mark"
	echo 'int two(void) { return 2; }' >src/two.c
	build --dev
	touched
	[ "$compiled" = "./two.o " ]
	# Who does not ask for it does not get it.
	build
	grep -q 'start .*/build' log
	refute grep -q increments log
	build --dev
	grep -q 'nothing to do' log
	refute grep -q increments log
}

@test "files that come, go and become folders; a folder that the build broke is made anew" {
	rm -rf "${KILN_STORE:?}/dev"
	build --dev
	rm src/two.c
	mkdir src/two.c src/deep
	echo 'int two(void) { return 1; }' >src/two.c/two.h
	echo '#include "../two.c/two.h"' >src/deep/new.c
	sed -i 's/two\.o/deep\/new.o/' src/Makefile
	build --dev
	tree=$(echo "$KILN_STORE"/dev/*/build)
	[ -d "$tree/src/two.c" ] && [ -f "$tree/src/deep/new.o" ]
	rm -rf "$tree/src"
	ln -s /etc "$tree/src"
	echo '/* more */' >>src/one.c
	build --dev
	[ -f "$tree/src/app" ] && [ ! -L "$tree/src" ]
	[ ! -e /etc/app ]
}

@test "a failure leaves what was built, and the next run goes on from there" {
	rm -rf "${KILN_STORE:?}/dev"
	build --dev
	echo 'broken' >src/main.c
	run build --dev
	[ "$status" -eq 1 ]
	run -0 "$KILN" log --offline --lock "$lock" '*/build'
	[[ $output == *" by increments, exit status 2"*main.c*error* ]]
	printf 'int one(void), two(void);\nint main(void) { return one() - two(); }\n' >src/main.c
	sleep 0.1
	touch "$BATS_TEST_TMPDIR/mark"
	build --dev
	touched
	[ "$compiled" = "./main.o " ]
	run -0 "$KILN" log --offline --lock "$lock" --json '*/build'
	[ "$(jq '.incremental, .exit' <<<"$output" | tr '\n' ' ')" = "true 0 " ]
	build
	run -0 "$KILN" log --offline --lock "$lock" --json '*/build'
	[ "$(jq .incremental <<<"$output")" = false ]
}

@test "a collection with a limit takes the folders; release knows no --dev" {
	rm -rf "${KILN_STORE:?}/dev"
	build --dev
	[ -d "$KILN_STORE/dev" ]
	run -2 "$KILN" release --dev
	[[ $output == *--dev* ]]
}

@test "another command, or a run that was killed, begins anew" {
	rm -rf "${KILN_STORE:?}/dev"
	build --dev
	sed -i 's/"CC=clang"/"CC=clang", "CFLAGS=-O1"/' kiln.lua
	touch "$BATS_TEST_TMPDIR/mark"
	build --dev
	touched
	[ "$compiled" = "./main.o ./one.o ./two.o " ]
	# The compiler of one file never ends, and what it wrote so far is newer than its source.
	printf '%s\n' 'one.o: one.c' '	echo half >one.o; sleep 60' >>src/Makefile
	echo '/* more */' >>src/one.c
	run -6 timeout --preserve-status -s INT 3 "$KILN" build --offline --lock "$lock" --dev -j 1 '*/size'
	grep -q half "$KILN_STORE"/dev/*/build/src/one.o
	sed -i '$d' src/Makefile
	sed -i '$d' src/Makefile
	build --dev
	refute grep -q half "$KILN_STORE"/dev/*/build/src/one.o
}
