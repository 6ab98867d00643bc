# The board on a real terminal: tmux, at several sizes, resized, with one target and with sixty; and
# where there is none: plain lines.
# shellcheck disable=SC2154 # status is from run, top from the helper
load helper

setup() {
	command -v tmux >/dev/null || skip "tmux is missing (Debian package tmux)"
	e2e_setup
	project=$PWD/many
}

teardown() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	tmux -S "$BATS_TEST_TMPDIR/tmux" kill-server 2>/dev/null || true
}

server=

# A project of $1 targets, each a chain of $2 stages that take $3 seconds; $4: what each does then.
many() {
	local once=$RANDOM$RANDOM
	mkdir -p many
	cp "$(project_lock hello)" many/kiln.lock
	cat >many/kiln.lua <<-END
		kiln.recipe { name = "many", version = "1.0", license = "MIT", date = 0 }
		for i = 1, $1 do
		  local triple = string.format("cpu%02d-unknown-linux-gnu", i)
		  kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
		    variants = { "plain" }, ship = "plain", reference = "plain" }
		  local last
		  for k = 1, $2 do
		    last = stage.run { address = triple .. "/plain/step" .. k, outputs = { "o" },
		      argv = { "/bin/sh", "-c", "sleep $3; echo $once " .. i .. "-" .. k .. " >o; ${4:-true}" },
		      inputs = last and { { at = "i", from = last:at "o" } } or nil }
		  end
		  kiln.artefact { target = triple, variant = "plain", kind = "x", name = triple .. ".txt",
		    media_type = "text/plain", from = last:at "o" }
		end
	END
}

# A shell on a terminal of $1 columns and $2 rows, with the variables that follow.
terminal() {
	local size=(-x "$1" -y "$2")
	shift 2
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d "${size[@]}" \
		"env -u CI -u NO_COLOR LANG=C.UTF-8 LC_ALL= HISTFILE= PS1='> ' $* bash --norc --noprofile" 3>&-
	until_shown '^>'
}

tm() { tmux -S "$BATS_TEST_TMPDIR/tmux" "$@" 3>&-; }
type_in() { tm send-keys "$@"; }
screen() { tm capture-pane -p; }
# With what scrolled out above.
history_too() { tm capture-pane -p -S -; }

# Waits until the screen shows something.
until_shown() {
	for _ in $(seq 100); do
		if screen | grep -q -e "$1"; then return; fi
		sleep 0.1
	done
	echo "the terminal never showed \"$1\":" >&2
	screen >&2
	return 1
}

cursor() { tm display -p '#{cursor_flag}'; }

# How often a line stands on the terminal and above it.
times() { history_too | grep -c -e "$1" || true; }

# No line is wider than $1, and the board is there once, from its head to its foot.
one_board() {
	"${2:-history_too}" >whole
	cat whole
	[ "$(grep -c ' done · ' whole)" -eq 1 ]
	[ "$(grep -c '  many 1.0 · ' whole)" -le 1 ]
	[ "$(LC_ALL=C.UTF-8 wc -L <whole)" -le "$1" ]
}

@test "80x24, one target: a row in place, then nothing of it; the cursor is there again" {
	many 1 3 1.5
	terminal 80 24
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step2 0:0'
	one_board 80
	[ "$(cursor)" = 0 ]
	grep -Eq '^  many 1\.0 · 1 target · llvm-19 @ sha256:[0-9a-f]{8}' whole
	grep -Eq '^  cpu01-unknown-linux-gnu  ███·······  plain  step2 0:0[01]' whole
	grep -Eq '^  1 done · 0 cached · 1 running · 1 to go' whole
	grep -q '^  cpu01/plain/step2 ▸ sleep 1.5; echo ' whole
	until_shown '^status=0'
	[ "$(cursor)" = 1 ]
	[ "$(times ' done · ')" -eq 0 ]
	[ "$(times '█')" -eq 0 ]
	screen | grep -q ' s, 3 stages run, 0 cached'
	# All of it is there now: no board, one line.
	type_in "clear; '$KILN' build --offline -C '$project'; echo again=\$?" Enter
	until_shown '^again=0'
	screen | grep -q '^  nothing to do: all 3 stages are cached'
	[ "$(times '█')" -eq 0 ]
}

@test "200x50, one target: the bar has its whole length, the line is whole" {
	many 1 2 2
	terminal 200 50
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step2 0:0'
	one_board 200
	grep -Eq '^  cpu01-unknown-linux-gnu  ██████████··········  plain  step2 0:0[01]' whole
	until_shown '^status=0'
	[ "$(times ' done · ')" -eq 0 ]
}

@test "80x24, sixty targets: those that run are shown, the rest is counted; Ctrl-C gives the cursor back" {
	many 60 2 0.3
	terminal 80 24
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown '  [1-9][0-9]* done .* running'
	for _ in 1 2 3 4 5; do
		sleep 0.3
		one_board 80
		grep -Eq '^  … and [0-9]+ more$' whole
		grep -Eq '^  cpu[0-9]+-unknown-linux-gnu .*step[12] 0:0' whole
		[ "$(grep -c '^  cpu[0-9]*-' whole)" -eq 17 ]
	done
	type_in C-c
	until_shown '^status=6'
	[ "$(cursor)" = 1 ]
	[ "$(times ' done · ')" -eq 0 ]
	screen | grep -q 'interrupted; .* run the same command to go on'
}

@test "200x50, sixty targets" {
	many 60 2 0.3
	terminal 200 50
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown '  [1-9][0-9]* done .* running'
	one_board 200
	grep -q '^  … and 17 more$' whole
	[ "$(grep -c '^  cpu[0-9]*-' whole)" -eq 43 ]
	type_in C-c
	until_shown '^status=6'
}

@test "resized while it runs, narrower and wider, lower and higher: one board, and nothing is left of it" {
	# Slow stages: what is drawn between the terminal's change and the program's word of it stays above.
	many 60 4 1
	terminal 200 50
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown '  [1-9][0-9]* done .* running'
	# What a smaller terminal pushed out above is beyond reach; the screen has one board.
	for size in 200x20 200x50 80x24 40x24 40x8 120x8 120x30 60x50 200x50; do
		tm resize-window -x "${size%x*}" -y "${size#*x}"
		sleep 0.7
		one_board "${size%x*}" screen
	done
	screen | grep -q '^  many 1.0 · 60 targets'
	type_in C-c
	until_shown '^status=6'
	screen >left
	refute grep -q ' done · \|█\|▸' left
	[ "$(cursor)" = 1 ]
}

@test "resized where all of it stays within reach: above the board too nothing is left" {
	many 1 4 1
	terminal 80 24
	type_in "clear; '$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step1 0:0'
	for size in 120x24 90x40 200x50 80x24 100x12 80x24; do
		tm resize-window -x "${size%x*}" -y "${size#*x}"
		sleep 0.4
		one_board "${size%x*}"
	done
	until_shown '^status=0'
	[ "$(times ' done · ')" -eq 0 ]
	[ "$(times '  many 1.0 · ')" -eq 0 ]
}

@test "the last line of what runs longest, without what terminals act on; it goes with the board" {
	many 1 1 0.1 "for n in 1 2 3 4 5 6 7 8; do printf '\\\\033[31mline %s\\\\033[2J\\\\r\\\\n' \$n; sleep 0.5; done"
	terminal 80 24
	type_in "clear; '$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown '^  cpu01/plain/step1 » line [1-3]$'
	one_board 80
	grep -q '^  cpu01/plain/step1 ▸ sleep 0.1; ' whole
	until_shown '^  cpu01/plain/step1 » line [5-7]$'
	one_board 80
	until_shown '^status=0'
	[ "$(times '»')" -eq 0 ]
	# The log has what was printed, as it was.
	"$KILN" log --offline -C "$project" cpu01-unknown-linux-gnu/plain/step1 >log
	[ "$(grep -c $'^\033\\[31mline [1-8]\033\\[2J\r$' log)" -eq 8 ]
}

@test "a failure stands above the board and stays; the cursor comes back" {
	many 2 1 0.4 'echo oh no; [ " .. i .. " = 1 ]'
	terminal 80 24
	type_in "'$KILN' build --offline --keep-going -C '$project'; echo status=\$?" Enter
	until_shown '^status=1'
	[ "$(cursor)" = 1 ]
	[ "$(times '  ✗  cpu02-unknown-linux-gnu/plain/step1 ')" -eq 1 ]
	[ "$(times 'oh no$')" -eq 1 ]
	[ "$(times ' done · ')" -eq 0 ]
	tm capture-pane -p -e | grep -q $'\033\\[31m✗'
}

@test "NO_COLOR: a board without colours" {
	many 1 1 1 'false'
	terminal 80 24 NO_COLOR=1
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step1 0:0'
	until_shown '^status=1'
	screen | grep -q '✗'
	refute grep -q $'\033\\[[0-9;]*3[0-9]' <(tm capture-pane -p -e -S -)
}

@test "Ctrl-Z takes the board away, fg brings it back; in the background nothing is drawn" {
	many 1 5 0.8
	terminal 80 24
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step1 0:0'
	type_in C-z
	until_shown 'Stopped'
	[ "$(cursor)" = 1 ]
	[ "$(times ' done · ')" -eq 0 ]
	type_in bg Enter
	sleep 1
	[ "$(times ' done · ')" -eq 0 ]
	type_in fg Enter
	until_shown ' done · '
	[ "$(cursor)" = 0 ]
	one_board 80
	until_shown ' s, 5 stages run, 0 cached'
	[ "$(cursor)" = 1 ]
	[ "$(times ' done · ')" -eq 0 ]
}

@test "Ctrl-\\ ends Kiln at once, and still the cursor is seen again" {
	many 1 1 5
	terminal 80 24
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown 'step1 0:0'
	[ "$(cursor)" = 0 ]
	type_in "C-\\"
	until_shown '^status=131'
	[ "$(cursor)" = 1 ]
}

# Every byte that a command with these variables writes to the terminal, into ./raw.
written_with() {
	terminal 80 24 "$@"
	tm pipe-pane -O "cat >'$PWD/raw'"
	type_in "'$KILN' build --offline -C '$project'; echo status=\$?" Enter
	until_shown '^status=0'
	sleep 0.3
	tm pipe-pane
}

# Lines that stand for themselves, and no sequence of a terminal (the shell writes its own, with "?").
are_plain() {
	grep -q '  start   cpu01-unknown-linux-gnu/plain/step1' raw
	grep -q '  done    cpu01-unknown-linux-gnu/plain/step1   0\.' raw
	refute grep -Eq $'\033\\[[0-9;]*[A-Zm]|\033\\[\\?25' raw
	refute grep -q '█\|to go' raw
}

@test "a dumb terminal: plain lines" {
	many 1 1 0.3
	written_with TERM=dumb
	are_plain
}

@test "in CI: plain lines, whatever the terminal can do" {
	many 1 1 0.3
	written_with CI=true
	are_plain
	# What the checks look for is there where there is a board.
	tm kill-server
	many 1 1 0.4
	written_with FOO=bar
	grep -Eq $'\033\\[\\?25l' raw
	grep -q 'to go' raw
	refute are_plain
}

# Serves ./file, in ten parts, for four seconds. Its address is $url.
serve_slowly() {
	cat >serve.py <<-'END'
		import http.server, time
		class Slow(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        data = open("file", "rb").read()
		        part = len(data) // 10 + 1
		        self.send_response(200)
		        self.send_header("Content-Length", str(len(data)))
		        self.end_headers()
		        for i in range(10):
		            self.wfile.write(data[i * part:(i + 1) * part])
		            self.wfile.flush()
		            time.sleep(0.4)
		    def log_message(self, *words): pass
		server = http.server.HTTPServer(("127.0.0.1", 0), Slow)
		print(server.server_address[1], flush=True)
		server.serve_forever()
	END
	timeout 120 python3 serve.py >port 2>/dev/null 3>&- &
	server=$!
	for _ in $(seq 50); do [ ! -s port ] || break; sleep 0.1; done
	url=http://127.0.0.1:$(cat port)/data
}

@test "a fetch that takes long: one line in place says how far; plain: one at its begin, one at its end" {
	hello
	mv "hello/kiln.profiles/hello-$x86.fdata" file
	serve_slowly
	jq --arg triple "$x86" --arg url "$url" \
		'.recipes.hello[$triple].profiles.bolt |= (del(.path) | .url = $url)' hello/kiln.lock >lock.new
	mv lock.new hello/kiln.lock
	for store in one two three; do mkdir $store && ln -s "$KILN_STORE/images" $store/images; done
	terminal 80 24
	type_in "'$KILN' plan --store one hello | tail -n 1; echo status=\$?" Enter
	until_shown "^  fetching $url  [2-8][0-9] %  0:0[1-4]"
	[ "$(times '  fetching ')" -eq 1 ]
	tm resize-window -x 30 -y 24
	sleep 1
	[ "$(screen | grep -c '  fetching ')" -eq 1 ]
	[ "$(screen | LC_ALL=C.UTF-8 wc -L)" -le 30 ]
	tm resize-window -x 80 -y 24
	until_shown '^status=0'
	[ "$(times '  fetching ')" -eq 1 ]
	screen | grep -Eq "^  fetching $url: done, [0-9.]+ K?B in [0-9.]+ s"
	# Into a file: some versions of bats take blanks from the beginning of what they kept.
	"$KILN" plan --store two --progress plain hello >planned 2>said
	cat said
	grep -qx "  fetching $url" said
	grep -Eqx "  fetching $url: done, [0-9.]+ K?B in [0-9.]+ s" said
	# Another file than the pinned one: that too ends with a line, and then says why.
	echo more >>file
	type_in "clear; '$KILN' plan --store three hello; echo again=\$?" Enter
	until_shown '^again=3'
	screen | grep -Eq "^  fetching $url: failed, [0-9.]+ K?B after "
	screen | grep -q 'is not the pinned file'
}

@test "the end of a release: nothing optimised, own tests passed, where to read and what to type" {
	mkdir -p own/src
	cp "$(project_lock hello)" own/kiln.lock
	# shellcheck disable=SC2016 # make's variables
	printf 't: t.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o t t.c\ncheck: t\n\t./t\n' >own/src/Makefile
	echo 'int main(void) { return 0; }' >own/src/t.c
	echo free >own/src/COPYING
	cat >own/kiln.lua <<-'END'
		return release { api = 1, name = "t", version = "1", license = "MIT", summary = "t", date = 1735689600,
		  source = folder "src", build = make.build { args = { "t" }, bins = { "t" }, test = { "check" } },
		  targets = { "x86_64-unknown-linux-gnu" }, files = { "COPYING" }, packages = { archive { "tar.zst" } } }
	END
	run --separate-stderr "$KILN" release --progress plain --unsigned -o dist own
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr =~ $x86\ +plain\ +"1 package, "[0-9]+" KB   nothing optimised, own tests passed"$'\n' ]]
	[[ $stderr != *"held-out"* ]]
	[[ $stderr == *"  report: dist/t-1/report.html · kiln sign --key SPEC dist/t-1"* ]]
	[ -s dist/t-1/report.html ]
	# Without tests of its own nothing is said of them; one that is quiet says nothing of it all.
	sed -i 's/, test = { "check" }//' own/kiln.lua
	run --separate-stderr "$KILN" release --progress plain --unsigned -o other own
	[[ $stderr =~ "   nothing optimised"$'\n' ]]
	run --separate-stderr "$KILN" release --progress none --unsigned --replace -o other own
	[ "$status" -eq 0 ]
	[[ $stderr != *"nothing optimised"* && $stderr != *"report:"* ]]
}
