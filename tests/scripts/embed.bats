bats_require_minimum_version 1.5.0
# scripts/embed: the same table for the same files in any order; names that would break out of the
# assembler's text are refused.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/embed
	cd "$BATS_TEST_TMPDIR"
	mkdir -p a b
	echo one >a/x.yaml
	echo two >b/y.lua
}

@test "the order of the arguments does not matter, nor the locale or folder" {
	"$script" a/x.yaml b/y.lua >one.S
	LC_ALL=C.UTF-8 "$script" b/y.lua a/x.yaml a/x.yaml >two.S
	cmp one.S two.S
	run ! grep -F "$PWD" one.S
}

@test "the assembled table holds the files" {
	"$script" a/x.yaml b/y.lua >t.S
	cat >m.c <<'EOF'
#include <stdio.h>
struct f { const char *path; const unsigned char *data; size_t size; };
extern const struct f kiln_embedded[];
extern const size_t kiln_embedded_count;
int main(void)
{
	for (size_t i = 0; i < kiln_embedded_count; i++)
		printf("%s %zu %s", kiln_embedded[i].path, kiln_embedded[i].size, (const char *)kiln_embedded[i].data);
	return kiln_embedded[kiln_embedded_count].path != NULL;
}
EOF
	gcc -fPIE -pie -o m m.c t.S
	run ./m
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = $'a/x.yaml 4 one\nb/y.lua 4 two' ]
}

@test "no files give an empty table" {
	"$script" >t.S
	grep -A1 '^kiln_embedded_count:' t.S | grep -q 'WORD 0'
}

@test "bad names and missing files are refused" {
	run "$script" /etc/passwd
	[ "$status" = 3 ]
	run "$script" 'a/x".yaml'
	[ "$status" = 3 ]
	run "$script" ../x
	[ "$status" = 3 ]
	run "$script" a/none.yaml
	[ "$status" = 3 ]
}
