# What editors get: annotations that lua-language-server reads, JSON Schemas that say what Kiln says.
bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	mkdir "$BATS_TEST_TMPDIR/project"
	cd "$BATS_TEST_TMPDIR/project"
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
}

need_luals() {
	luals=$("$top/scripts/get-luals" "$KILN_BUILD/luals" 2>"$BATS_TEST_TMPDIR/why") ||
		skip "no lua-language-server: $(tail -1 "$BATS_TEST_TMPDIR/why")"
}

# What the server has against the project: a line each, FILE:LINE: CODE.
diagnose() {
	local status=0
	rm -f "$BATS_TEST_TMPDIR/found.json"
	timeout 120 "$luals" --check "$PWD" --checklevel=Warning --check_format=json \
		--check_out_path="$BATS_TEST_TMPDIR/found.json" --logpath="$BATS_TEST_TMPDIR/log" \
		--metapath="$BATS_TEST_TMPDIR/meta" >"$BATS_TEST_TMPDIR/said" 2>&1 || status=$?
	# 1: there are problems. Without any some versions write no file.
	[ "$status" -le 1 ] || { cat "$BATS_TEST_TMPDIR/said"; return 1; }
	[ -e "$BATS_TEST_TMPDIR/found.json" ] || return "$status"
	jq -r 'if type == "object" then to_entries[] | (.key | sub(".*/"; "")) as $file | .value[] |
		"\($file):\(.range.start.line + 1): \(.code)" else empty end' "$BATS_TEST_TMPDIR/found.json" | sort
}

@test "kiln annotations writes what editors read, and leaves a .luarc.json alone" {
	run --separate-stderr "$KILN" annotations
	[ "$status" -eq 0 ]
	[ "$output" = "$PWD/.kiln/annotations" ]
	cmp .kiln/annotations/kiln.d.lua "$top/recipes/lib/kiln.d.lua"
	cmp .kiln/annotations/toolchain.schema.json "$top/toolchains/schema.json"
	cmp .kiln/annotations/container.schema.json "$top/containers/schema.json"
	[ "$(jq -r '."workspace.library"[0]' .luarc.json)" = .kiln/annotations ]
	echo '{}' >.luarc.json
	run --separate-stderr "$KILN" annotations
	[ "$status" -eq 0 ]
	[ "$(cat .luarc.json)" = '{}' ]
	[[ $stderr == *'it needs "workspace.library": [".kiln/annotations"]'* ]]
	run "$KILN" annotations nowhere
	[ "$status" -eq 2 ]
	[[ $output == *"there is no folder nowhere"* ]]
}

@test "lua-language-server has nothing against the recipes and Kiln's library" {
	need_luals
	cp "$top"/recipes/*.lua .
	cp "$top/recipes/hello/kiln.lua" hello.lua
	for file in "$top"/recipes/lib/*.lua; do
		[ "${file##*/}" = kiln.d.lua ] || cp "$file" .
	done
	"$KILN" annotations
	diagnose >found
	diff /dev/null found
}

@test "lua-language-server has nothing against the annotations themselves" {
	need_luals
	"$KILN" annotations
	cp .kiln/annotations/kiln.d.lua .
	rm -r .kiln
	diagnose >found
	diff /dev/null found
}

@test "lua-language-server reports a wrong field, a missing one, an unknown name" {
	need_luals
	"$KILN" annotations
	sed 's/api = 1,/api = "one",/; s/^  name = /  nam = /; s/pgo = true/pgo = "yes"/; s/holdout = {/holdout = 7, other = {/; s/deb {/dep {/' \
		"$top/recipes/hello/kiln.lua" >kiln.lua
	echo 'local none = os.time()' >>kiln.lua
	diagnose >found
	line() { grep -n "$1" kiln.lua | head -1 | cut -d: -f1; }
	grep -qx "kiln.lua:$(line 'api = "one"'): assign-type-mismatch" found || { cat found; false; }
	grep -qx "kiln.lua:$(line 'pgo = "yes"'): assign-type-mismatch" found || { cat found; false; }
	grep -qx "kiln.lua:$(line 'holdout = 7'): assign-type-mismatch" found || { cat found; false; }
	grep -qx "kiln.lua:$(line 'return release'): missing-fields" found || { cat found; false; }
	grep -qx "kiln.lua:$(line 'dep {'): undefined-global" found || { cat found; false; }
	grep -qx "kiln.lua:$(line 'os.time'): undefined-global" found || { cat found; false; }
}

@test "get-luals uses no bytes but those it names, and says where it looked" {
	# Only what it needs is in its path: a server that is installed would be taken.
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in mkdir mktemp uname curl sha256sum cut tail rm tar mv; do
		ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/bin/$tool"
	done
	mkdir releases
	for build in x64 arm64; do
		echo other >"releases/lua-language-server-3.17.1-linux-$build.tar.gz"
	done
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin" KILN_LUALS_URL="file://$PWD/releases" \
		/bin/bash "$top/scripts/get-luals" got
	[ "$status" -eq 5 ]
	[ -z "$output" ]
	[[ $stderr == *"has the SHA-256 "*"it is not used"* ]]
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin" KILN_LUALS_URL="file://$PWD/none" \
		/bin/bash "$top/scripts/get-luals" got
	[ "$status" -eq 5 ]
	[[ $stderr == *"file://$PWD/none/"*"cannot be fetched"* ]]
	[ -z "$(ls -A got)" ]
}

@test "a JSON Schema validator agrees with Kiln on the YAML files, whole and broken" {
	# Debian's, whichever python3 comes first in the path.
	/usr/bin/python3 -c 'import jsonschema, yaml; jsonschema.Draft202012Validator' 2>/dev/null ||
		skip "no validator: install the Debian packages python3-jsonschema and python3-yaml (scripts/setup --check does it)"
	run /usr/bin/python3 "$top/tests/cli/schemas.py" "$KILN_BUILD/tests/tools/definitions" "$PWD" "$top"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' 0 differ$' <<<"$output")" -eq 2 ]
}

@test "a wrong toolchain is refused by Kiln and by the schema, for the same member" {
	/usr/bin/python3 -c 'import jsonschema, yaml; jsonschema.Draft202012Validator' 2>/dev/null ||
		skip "no validator: install the Debian packages python3-jsonschema and python3-yaml (scripts/setup --check does it)"
	mkdir -p .kiln/toolchains
	sed 's/^    debian: amd64/    debain: amd64/' "$top/toolchains/llvm-19.yaml" >.kiln/toolchains/own.yaml
	run "$KILN_BUILD/tests/tools/definitions" toolchains .
	[[ $output == *"own refused "*'own.yaml:'*'unknown field "debain"'* ]]
	[[ $output == *"llvm-19 accepted"* ]]
	run /usr/bin/python3 - "$top/toolchains/schema.json" .kiln/toolchains/own.yaml <<-'P'
		import json, sys, jsonschema, yaml
		v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
		for e in v.iter_errors(yaml.safe_load(open(sys.argv[2]))):
		    print("/".join(map(str, e.path)), e.message)
	P
	[[ $output == *"targets/x86_64-unknown-linux-gnu "*"'debain' was unexpected"* ]]
}
