# A recipe in somebody's own repository: what is taken, which version it gets, and what each state of
# a repository is told. The program is recipes/hello, in a repository of its own.
# shellcheck disable=SC2154 # stderr is from run, x86 and top from the helper
load helper

setup() {
	e2e_setup
	export GIT_CONFIG_GLOBAL=$BATS_TEST_TMPDIR/gitconfig GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000"
	git config --global user.email me@example.org
	git config --global user.name Me
	git config --global init.defaultBranch main
	git config --global protocol.file.allow always
}

# ./own: hello with a recipe of its own, not yet a repository. `$1` is its list of exclusions.
own() {
	mkdir own
	cp "$top"/recipes/hello/src/* own/
	mkdir own/bench && seq 40 >own/bench/letters.txt && seq 60 >own/bench/held.txt
	cat >own/kiln.lua <<-LUA
	return release {
	  api = 1, name = "own", version = git.version { tag = "v*" }, license = "MIT",
	  source = checkout { exclude = { "bench", ${1:-} } },
	  work = folder "bench",
	  build = make.build { args = { "hello" }, bins = { "hello" } },
	  targets = { "$x86" },
	  train = { run { bin "hello", file "letters.txt" } },
	  holdout = { run { bin "hello", file "held.txt" } },
	  optimize = fdo { lto = "thin", pgo = true, ship = option("ship", "pgo+lto") },
	  files = { "COPYING" },
	  packages = { archive { "tar.gz" }, deb { maintainer = "Me <me@example.org>" } },
	}
	LUA
	printf '%s\n' "$(jq '{schema, images}' "$(project_lock hello)")" >own/kiln.lock
}

commit() {
	git -C "${2:-own}" add -A
	git -C "${2:-own}" commit -q --allow-empty -m "$1"
}

repository() {
	own "$@"
	git init -q own
	commit one
}

refused() { # refused STATUS TEXT COMMAND...: kiln in ./own
	local status_wanted=$1 text=$2
	shift 2
	run "$KILN" -C own "$@"
	echo "$output"
	[ "$status" -eq "$status_wanted" ]
	[[ $output == *"$text"* ]]
}

@test "a tagged commit is released under its tag's version, with the commit's date and name" {
	repository
	git -C own tag v1.4.0
	git -C own tag other
	"$KILN" -C own release --progress plain --unsigned -o "$PWD/dist"
	dist=dist/own-1.4.0
	tar -tvzf "$dist/own-1.4.0-$x86.tar.gz" >list
	grep -q 'bin/hello' list
	grep -q '2023-11-14' list
	[ "$(dpkg-deb -f "$dist/own-1.4.0-$x86.deb" Version)" = 1.4.0-1 ]
	jq -r . "$dist/own-1.4.0.provenance.json" >statement.json
	head=$(git -C own rev-parse HEAD)
	jq -e --arg uri "git:commit/$head" 'any(.predicate.buildDefinition.resolvedDependencies[]; .uri == $uri)' statement.json
	jq -e --arg head "$head" '.predicate.buildDefinition.internalParameters.facts == [{kind: "git.version", tag: "v*", version: "1.4.0", commit: $head, snapshot: false, changed: 0}]' statement.json
	jq -e '.predicate.buildDefinition.externalParameters.options == {ship: "pgo+lto"}' statement.json
	# A clone elsewhere, at that tag, detached, gives the same bytes.
	git clone -q own clone && git -C clone checkout -q v1.4.0
	"$KILN" -C clone release --progress none --unsigned -o "$PWD/again"
	for file in "own-1.4.0-$x86.tar.gz" "own-1.4.0-$x86.deb"; do cmp "$dist/$file" "again/own-1.4.0/$file"; done
	# So does a worktree, and a shallow clone that has the tag.
	git -C own worktree add -q "$PWD/tree" v1.4.0
	"$KILN" -C tree release --progress none --unsigned -o "$PWD/third"
	cmp "$dist/own-1.4.0-$x86.deb" "third/own-1.4.0/own-1.4.0-$x86.deb"
	git clone -q --depth 1 --branch v1.4.0 "file://$PWD/own" shallow
	"$KILN" -C shallow release --progress none --unsigned -o "$PWD/fourth"
	cmp "$dist/own-1.4.0-$x86.deb" "fourth/own-1.4.0/own-1.4.0-$x86.deb"
}

@test "between two tags: a snapshot version, which release refuses unless it is asked for" {
	repository
	git -C own tag v1.4.0
	commit two
	commit three
	short=$(git -C own rev-parse --short=7 HEAD)
	refused 3 "no tag that matches \"v*\" lies on the commit" release --unsigned
	[[ $output == *"1.4.1-dev.2+g$short"*"git tag NAME"*"--snapshot"* ]]
	"$KILN" -C own release --unsigned --snapshot --progress none -o "$PWD/dist"
	[ "$(dpkg-deb -f "dist/own-1.4.1-dev.2+g$short/own-1.4.1-dev.2+g$short-$x86.deb" Version)" = "1.4.1~dev.2+g$short-1" ]
	dpkg --compare-versions "1.4.1~dev.2+g$short-1" lt 1.4.1-1
	dpkg --compare-versions "1.4.1~dev.2+g$short-1" gt 1.4.0-1
	# Of several tags on the commit the newest version counts.
	git -C own tag v1.5.0-rc.1
	git -C own tag v1.5.0
	"$KILN" -C own plan --release --json | jq -e '.artefacts[0].name | startswith("own-1.5.0-x86")'
}

@test "build takes what lies there, release what is committed" {
	repository
	git -C own tag v1.0.0
	"$KILN" -C own build --progress none --variant plain -o "$PWD/clean" >/dev/null
	echo "int from_the_tree;" >>own/hello.c
	echo "untracked" >own/untracked.c
	"$KILN" -C own build --progress none --variant plain -o "$PWD/dirty" >/dev/null
	short=$(git -C own rev-parse --short=7 HEAD)
	[ -e "dirty/own-1.0.1-dev.0+g$short.dirty-$x86.deb" ]
	refused 3 "1 tracked file has changes that are in no commit" release --unsigned
	[[ $output == *"--snapshot"* ]]
	"$KILN" -C own release --unsigned --snapshot --progress none -o "$PWD/dist"
	# Whatever the version comes from.
	sed 's/git.version { tag = "v\*" }/"1.0"/' own/kiln.lua >own/other.lua
	cp own/kiln.lock own/other.lock
	run "$KILN" -C own release --unsigned --lock other.lock other.lua
	[ "$status" -eq 3 ]
	[[ $output == *"1 tracked file has changes that are in no commit"* ]]
	tar -xzOf "clean/own-1.0.0-$x86.tar.gz" "own-1.0.0-$x86/bin/hello" >plain
	"$KILN" -C own plan --release --json >plan.json
	# A snapshot of the commit, which does not pass for the version that its tag says.
	run --separate-stderr "$KILN" -C own release --unsigned --snapshot --progress none --set ship=plain -o "$PWD/dist2"
	[ "$status" -eq 0 ]
	[[ $stderr == *"warning: 1 tracked file has changes that are in no commit, and a release is made of the commit"* ]]
	name=own-1.0.1-dev.0+g$short.dirty
	tar -xzOf "dist2/$name/$name-$x86.tar.gz" "$name-$x86/bin/hello" | cmp - plain
	git -C own checkout -q hello.c
	run "$KILN" -C own release --unsigned --lock other.lock other.lua
	[ "$status" -eq 3 ]
	[[ $output == *"other.l"*" is not tracked by git, and a release is made of the commit"*"git add other.l"* ]]
	# Nor does one by a recipe that is in no commit, with nothing changed.
	cp own/kiln.lua own/mine.lua
	run --separate-stderr "$KILN" -C own release --unsigned --snapshot --progress none --lock other.lock -o "$PWD/dist3" mine.lua
	[ "$status" -eq 0 ]
	[[ $stderr == *"warning: mine.lua is not tracked by git, and a release is made of the commit"* ]]
	[ -d "dist3/own-1.0.1-dev.0+g$short.dirty" ]
	# What was asked for as a snapshot is none even of a tag with nothing beside it.
	run --separate-stderr "$KILN" -C own release --unsigned --snapshot --progress none -o "$PWD/dist3"
	[ "$status" -eq 0 ]
	[[ $stderr != *"warning"* ]]
	[ -d "dist3/own-1.0.1-dev.0+g$short" ]
	[ ! -e dist3/own-1.0.0 ]
	# Nor is one under a licence that nobody has named yet.
	sed -i 's/license = "[^"]*"/license = "LicenseRef-unknown"/' own/kiln.lua
	commit unknown
	run --separate-stderr "$KILN" -C own release --unsigned --snapshot --progress none -o "$PWD/dist4"
	[ "$status" -eq 0 ]
	[[ $stderr == *"warning: "*"license: \"LicenseRef-unknown\" is still unknown"* ]]
}

@test "no git, nothing committed, no tag, a tag that is no version: each its sentence, status 3" {
	own
	refused 3 "own lies in no git repository" plan
	[[ $output == *"kiln.lua:2"*"git init"* ]]
	git init -q own
	refused 3 "nothing is committed yet" plan
	[[ $output == *"commit first: git add .; git commit"* ]]
	commit one
	"$KILN" -C own plan --json | jq -e '.artefacts[0].name | startswith("own-0.0.1-dev.1+g")'
	git -C own tag vnext
	refused 3 'the tag "vnext" is no version: it must begin with numbers' plan
	[[ $output == *'narrow the pattern, as in tag = "v[0-9]*"'* ]]
	# Beside one that is a version it does no harm.
	git -C own tag v1.0
	"$KILN" -C own plan --json | jq -e '.artefacts[0].name | startswith("own-1.0-")'
	git -C own tag -d v1.0
	sed -i 's/tag = "v\*"/tag = "v[0-9]*"/' own/kiln.lua
	git -C own tag v3x
	run "$KILN" -C own plan
	[ "$status" -eq 3 ]
	[[ $output == *'the tag "v3x" is no version'*"take it away (git tag -d), or name a pattern that it does not fit"* ]]
	git -C own tag -d v3x
	git -C own checkout -q kiln.lua
	git -C own tag -d vnext
	git -C own tag v1.0
	commit two
	git clone -q --depth 1 "file://$PWD/own" shallow
	run "$KILN" -C shallow plan
	[ "$status" -eq 3 ]
	[[ $output == *"this clone is shallow"*"fetch it: git fetch --unshallow --tags"* ]]
	# Without git.version a checkout speaks for itself.
	sed -i 's/version = git.version { tag = "v\*" }/version = "1.0"/' own/kiln.lua
	rm -rf own/.git
	refused 3 "checkout: " plan
	[[ $output == *"lies in no git repository"*'source = folder "src"'* ]]
	git init -q own
	refused 3 "checkout: nothing is committed yet in " plan
}

@test "submodules come along; one that is not here is told, unless it is left out" {
	mkdir -p lib && echo 'const char *from_submodule = "sub";' >lib/sub.c
	git init -q lib && commit lib lib
	repository
	git -C own submodule --quiet add "$PWD/lib" deps/lib
	commit sub
	git -C own tag v1.0
	for variant in "build --until $x86/plain/build" "plan --release"; do
		# shellcheck disable=SC2086 # words
		"$KILN" -C own $variant >/dev/null
	done
	printf '\nhello: looked-at\nlooked-at:\n\tgrep from_submodule deps/lib/sub.c\n' >>own/Makefile
	commit uses && git -C own tag -f v1.0 >/dev/null
	"$KILN" -C own release --unsigned --progress none --set ship=plain -o "$PWD/dist"
	# What a build left in a submodule is no change of it.
	touch own/deps/lib/left.o
	"$KILN" -C own release --unsigned --progress none --set ship=plain -o "$PWD/dist"
	# LFS content of a submodule lies in the submodule's own folder.
	echo "large $EPOCHREALTIME" >large
	object=$(sha256sum <large | cut -d' ' -f1)
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' "$object" "$(stat -c %s large)" >own/deps/lib/large.bin
	echo '*.bin filter=lfs' >own/deps/lib/.gitattributes
	commit large own/deps/lib && commit large
	folder=$(git -C own/deps/lib rev-parse --path-format=absolute --git-common-dir)/lfs/objects/${object:0:2}/${object:2:2}
	mkdir -p "$folder" && cp large "$folder/$object"
	"$KILN" -C own plan >/dev/null
	"$KILN" -C own plan --release >/dev/null
	# Another commit: the store still has the tree of this one.
	git clone -q own bare && commit other bare && git -C bare tag -f v1.0 >/dev/null
	for command in "build --until $x86/plain/build" "release --unsigned"; do
		# shellcheck disable=SC2086 # words
		run "$KILN" -C bare $command
		[ "$status" -eq 3 ]
		[[ $output == *"the submodule deps/lib is not here"*"git submodule update --init --recursive"* ]]
	done
	sed -i 's/exclude = { "bench",/exclude = { "bench", "deps\/**",/' bare/kiln.lua
	"$KILN" -C bare plan >/dev/null
}

@test "Git LFS: content that is here is taken, content that is not is told" {
	repository '"*.unused"'
	# New each time: what the store has, it has.
	echo "int large_content; /* $EPOCHREALTIME */" >large
	object=$(sha256sum <large | cut -d' ' -f1)
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' "$object" "$(stat -c %s large)" >own/large.c
	echo '*.c filter=lfs' >own/.gitattributes
	printf '\nhello: looked-at\nlooked-at:\n\tgrep large_content large.c\n' >>own/Makefile
	git -C own config filter.lfs.required false
	commit lfs && git -C own tag v1.0
	for command in "build --variant plain" "release --unsigned"; do
		# shellcheck disable=SC2086 # words
		refused 3 "the content of large.c is kept by Git LFS and is not here" $command
		[[ $output == *"git lfs pull"*"exclude"* ]]
	done
	mkdir -p "own/.git/lfs/objects/${object:0:2}/${object:2:2}"
	# What lies there is other than its name says, or than the pointer says.
	tr e E <large >"own/.git/lfs/objects/${object:0:2}/${object:2:2}/$object"
	refused 3 "the object " release --unsigned
	[[ $output == *"$object is damaged"* ]]
	cp large "own/.git/lfs/objects/${object:0:2}/${object:2:2}/$object"
	sed -i '/^size/s/.*/size 7/' own/large.c
	commit shorter
	refused 3 "the pointer of Git LFS " release --unsigned --snapshot
	[[ $output == *"says 7 bytes, its object has "* ]]
	git -C own reset -q --hard HEAD~1
	"$KILN" -C own build --progress none --variant plain >/dev/null
	"$KILN" -C own release --unsigned --snapshot --progress none --set ship=plain -o "$PWD/dist"
}

@test "a file whose content git has lost: named, status 3" {
	repository
	echo "/* $EPOCHREALTIME */" >>own/hello.c
	commit lost && git -C own tag v1.0
	blob=$(git -C own rev-parse HEAD:hello.c)
	rm -f "own/.git/objects/${blob:0:2}/${blob:2}"
	refused 3 "git does not have the content of hello.c" release --unsigned
}

@test "option: --set changes what the recipe says; what it does not ask for is refused" {
	repository
	"$KILN" -C own plan --json --set ship=lto | jq -e '[.artefacts[].variant] | unique == ["lto"]'
	refused 2 "--set shipp: kiln.lua asks for no such option" plan --set shipp=lto
	[[ $output == *'did you mean "ship"'* ]]
	refused 2 "--set takes NAME=VALUE" plan --set ship
	sed -i 's/option("ship", "pgo+lto")/"lto", bolt = option("bolt", false)/' own/kiln.lua
	refused 2 "--set takes NAME=VALUE" plan --set =x
	refused 3 "option: --set bolt=perhaps: expected true or false" plan --set bolt=perhaps
}

@test "what is pinned by the lock is no part of the source: lock, commit, tag, release trains nothing" {
	repository
	git -C own tag v0.9
	"$KILN" -C own lock --progress none
	commit "the lock" && git -C own tag v1.0
	run --separate-stderr "$KILN" -C own release --progress plain --unsigned -o "$PWD/dist"
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr != *"trained anew"* && $stderr != *"this run trains"* ]]
	refute grep -Eq '(start|done) .*/(instrument|train)' <<<"$stderr"
	# Another commit, locked again: nothing to write.
	cp own/kiln.lock before
	"$KILN" -C own lock --progress none
	cmp before own/kiln.lock
}

@test "what a user has set for git changes no answer" {
	repository
	for tag in v1.1 v1.5.0-rc.1 v1.5.0; do git -C own tag $tag; done
	commit two
	git -C own config log.showSignature true
	git -C own config column.ui always
	short=$(git -C own rev-parse --short=7 HEAD)
	LANGUAGE=de "$KILN" -C own plan --json >plan.json
	# Newer than all that lies behind it, and of the commit's day.
	jq -e --arg v "own-1.5.1-dev.1+g$short-" '(.artefacts[0].name | startswith($v)) and .epoch == 1700000000' plan.json
	sed -i 's/tag = "v\*"/tag = "-d"/' own/kiln.lua
	refused 3 "does not begin with a dash" plan
}

@test "a name that is no UTF-8, a link out of the tree, a file that git has and the folder has not" {
	repository
	printf 'x' >"$(printf 'own/na\377me')"
	ln -s /etc/passwd own/outside
	commit odd && git -C own tag v1.0
	refused 3 "has a name that is not UTF-8, which a tree cannot hold" build --variant plain
	refused 3 "a file's name is not UTF-8, which a tree cannot hold" release --unsigned
	rm own/na*me
	ln -s "$(printf 'to\377')" own/link
	commit link && git -C own tag -f v1.0 >/dev/null
	refused 3 "not UTF-8" plan
	refused 3 "is a link whose text is not UTF-8, which a tree cannot hold" plan --release
	rm own/link
	commit less && git -C own tag -f v1.0 >/dev/null
	# In an intermediate tree a link may lead anywhere; nothing follows it.
	"$KILN" -C own build --progress none --variant plain >/dev/null
	rm own/COPYING
	refused 3 "COPYING" build --variant plain
	"$KILN" -C own release --unsigned --snapshot --progress none --set ship=plain -o "$PWD/dist"
}

@test "a repository of 100,000 files" {
	repository
	mkdir own/many
	(cd own/many && for i in $(seq 100); do mkdir "$i"; done && seq 100000 | awk '{ f = $1 % 100 + 1 "/" $1; print $1 > f; close(f) }')
	commit many && git -C own tag v1.0
	"$KILN" -C own plan --release >/dev/null
	"$KILN" -C own plan >/dev/null
	"$KILN" -C own plan --release --json | jq -e '.artefacts[0].name | startswith("own-1.0-")'
}
