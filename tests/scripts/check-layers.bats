# scripts/check-layers must fail on each kind of breach: small trees that have just one.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/check-layers
	tree=$BATS_TEST_TMPDIR
	mkdir -p "$tree"/orchestrator/{base,store,external,cli}
	cat >"$tree/orchestrator/LAYERS" <<'EOF'
layer base:
layer external: base
layer store: base external
layer cli: *
only external: jansson.h curl/
calls cli: printf exit
system: stdio.h sys/
EOF
	echo '#include <stdio.h>' >"$tree/orchestrator/base/str.h"
	printf '#include "store/blobs.h"\n#include <sys/stat.h>\n#include "base/str.h"\n' \
		>"$tree/orchestrator/store/blobs.c"
	echo '#include "base/str.h"' >"$tree/orchestrator/store/blobs.h"
	printf '#include <jansson.h>\n#include <curl/curl.h>\n' >"$tree/orchestrator/external/json.h"
	printf '#include "store/blobs.h"\nint f(void) { exit(printf("x")); }\n' >"$tree/orchestrator/cli/main.c"
}

breach() { # breach FILE LINE-TO-ADD EXPECTED-MESSAGE
	printf '%s\n' "$2" >>"$tree/orchestrator/$1"
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"orchestrator/$1:"*"$3"* ]]
	[[ $output == *"1 breaches"* ]]
}

@test "a tree without a breach passes" {
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"5 files keep to the table"* ]]
}

@test "an include of a layer above fails" {
	breach base/str.h '#include "store/blobs.h"' "base may not include store"
}

@test "an include between layers that are not neighbours fails" {
	breach store/blobs.c '#include "cli/main.h"' "store may not include cli"
}

@test "a bare include from the same folder fails" {
	breach store/blobs.c '#include "blobs.h"' "include by layer path"
}

@test "an include through .. fails" {
	breach store/blobs.c '#include "../base/str.h"' "without .."
}

@test "a third-party header outside its folder fails" {
	breach store/blobs.c '#include <jansson.h>' "belongs to external/ alone"
}

@test "a header from a third-party folder fails outside its folder" {
	breach cli/main.c '#include <curl/easy.h>' "belongs to external/ alone"
}

@test "an unknown third-party header fails everywhere" {
	breach external/json.h '#include <cjson/cJSON.h>' "neither a system header"
}

@test "an include of a file that is not there fails" {
	breach store/blobs.c '#include "base/gone.h"' "no such file"
}

@test "an own header that does not come first fails" {
	sed -i 1d "$tree/orchestrator/store/blobs.c"
	breach store/blobs.c '#include "store/blobs.h"' "does not come first"
}

@test "an include with white space before and after the hash is seen" {
	breach base/str.h '  #  include "store/blobs.h"' "base may not include store"
}

@test "a call that belongs to another folder fails" {
	breach store/blobs.c 'static void f(void) { printf("x"); }' "printf() is called in cli/ alone"
}

@test "a call named in a comment, a string or a longer word is no call" {
	cat >>"$tree/orchestrator/store/blobs.c" <<'EOF'
/* printf(x) and
 * exit(1) */
static void f(void) { _exit(1); snprintf("printf(y)"); /* exit(2) */ }
EOF
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 0 ]
}

@test "a folder that is no layer fails" {
	mkdir "$tree/orchestrator/utils"
	breach utils/misc.c 'int x;' "not a layer"
}

@test "a table with a cycle fails" {
	sed -i 's/^layer base:$/layer base: store/' "$tree/orchestrator/LAYERS"
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"does not stand above it"* ]]
}

@test "a missing table and a tree without sources fail" {
	mv "$tree/orchestrator/LAYERS" "$tree/LAYERS"
	run "$script" "$tree"
	[ "$status" = 1 ]
	mv "$tree/LAYERS" "$tree/orchestrator/LAYERS"
	find "$tree/orchestrator" -name '*.[ch]' -delete
	run "$script" "$tree"
	[ "$status" = 1 ]
}
