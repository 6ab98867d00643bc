# kiln shell: where a stage runs, and in what a failure left.
# shellcheck disable=SC2154 # status, output and stderr are from run, x86 from the helper
load helper

setup() {
	e2e_setup
	mkdir -p two/src
	echo 'the source' >two/src/a
	cat >two/kiln.lua <<-LUA
		kiln.recipe { name = "two", version = "1", license = "MIT", date = 1000000000 }
		kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local first = stage.run { address = "$x86/plain/first", argv = { "/bin/sh", "-ec", "cp s/a o; echo $BATS_TEST_NUMBER$RANDOM$RANDOM >>o" },
		  outputs = { "o" }, inputs = { { at = "s", from = src } } }
		local second = stage.run { address = "$x86/plain/second", argv = { "/bin/sh", "-ec", "echo half >left; \$COMMAND; cat i/o >p" },
		  outputs = { "p" }, inputs = { { at = "i/o", from = first:at "o" } }, env = { COMMAND = option("command", "true") } }
		kiln.artefact { target = "$x86", variant = "plain", kind = "x", name = "two.txt", media_type = "text/plain", from = second:at "p" }
	LUA
	cp "$(project_lock hello)" two/kiln.lock
}

teardown() {
	tmux -S "$BATS_TEST_TMPDIR/tmux" kill-server 2>/dev/null || true
}

left_over() { find "$KILN_STORE/work" "$KILN_STORE/tmp" -mindepth 1 2>/dev/null | grep .; }

@test "a stage's inputs are made and laid out; what is done there is not kept" {
	run --separate-stderr "$KILN" shell two "$x86/plain/second" <<<'pwd; id -un; cat i/o; eval "$STAGE"; cat left; echo "$COMMAND"; (cat /etc/shadow; ping -c1 1.1.1.1) 2>/dev/null || :'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = /build ]
	[ "${lines[1]}" = builder ]
	[ "${lines[2]}" = "the source" ]
	[ "${lines[4]}" = half ]
	[ "${lines[5]}" = true ]
	printf '%s\n' "${lines[@]}"
	[ "${#lines[@]}" -eq 6 ]
	[[ $stderr == *"done    $x86/plain/first"*"where $x86/plain/second runs: its inputs are laid out"* ]]
	refute left_over
	# It was not the stage that ran.
	run "$KILN" plan two
	[[ $output == *"cached   plain/first"*"run      plain/second"* ]]
}

@test "the shell's status is told: 1, and what it was" {
	run "$KILN" shell two "$x86/plain/first" <<<'exit 7'
	[ "$status" -eq 1 ]
	[[ $output == *"kiln: the shell ended with status 7"* ]]
	run "$KILN" shell two "$x86/plain/first" <<<'kill -9 $$'
	[ "$status" -eq 1 ]
	refute left_over
}

@test "what a failure left, until it is gone" {
	run "$KILN" build two --set command=false
	[ "$status" -eq 1 ]
	[[ $output == *"    shell    kiln shell --failed two $x86/plain/second"* ]]
	run --separate-stderr "$KILN" shell --failed two --set command=false <<<'cat left; echo more >more'
	[ "$status" -eq 0 ]
	[ "$output" = half ]
	[[ $stderr == *"where $x86/plain/second failed: the folder that it left"* ]]
	# It is the same folder the next time.
	run --separate-stderr "$KILN" shell --failed two second --set command=false <<<'cat more; eval "$STAGE"'
	[ "$status" -eq 1 ]
	[ "$output" = more ]
	run "$KILN" shell --failed two first
	[ "$status" -eq 2 ]
	[[ $output == *"$x86/plain/first did not fail when it ran last"* ]]
	rm -rf "$KILN_STORE/failed"
	run "$KILN" shell --failed two
	[ "$status" -eq 2 ]
	[[ $output == *"what $x86/plain/second left when it failed is not kept any more"*"→ run it again: kiln build"* ]]
	"$KILN" build two
	run "$KILN" shell --failed two
	[ "$status" -eq 2 ]
	[[ $output == *"no stage of two failed here"* ]]
}

@test "only the last few failures are kept" {
	for i in 1 2 3 4 5 6; do
		run "$KILN" build two --set "command=false $i"
		[ "$status" -eq 1 ]
	done
	[ "$(find "$KILN_STORE/failed" -mindepth 1 -maxdepth 1 | wc -l)" -le 4 ]
	"$KILN" shell --failed two --set "command=false 6" <<<'cat left'
}

@test "stages that no shell can stand in" {
	hello
	run "$KILN" shell hello "$x86/pgo+lto+bolt/tar" --offline
	[ "$status" -eq 2 ]
	[[ $output == *"is a step of Kiln's own (tar@1): it runs no program"* ]]
	run "$KILN" shell hello "$x86/pgo+lto/profile" --offline
	[ "$status" -eq 2 ]
	[[ $output == *"$x86/pgo+lto/profile does not run: the lock has what it makes"* ]]
	run "$KILN" shell -C two
	[ "$status" -eq 2 ]
	[[ $output == *"shell needs [RECIPE] STAGE, or --failed"* ]]
}

@test "on a terminal: job control, keys, the terminal's size; it is as before afterwards" {
	command -v tmux >/dev/null || skip "tmux is missing (Debian package tmux)"
	tm() { tmux -S "$BATS_TEST_TMPDIR/tmux" "$@" 3>&-; }
	shown() {
		for _ in $(seq 100); do
			if tm capture-pane -p | grep -q -e "$1"; then return; fi
			sleep 0.1
		done
		tm capture-pane -p
		return 1
	}
	tm -f /dev/null new-session -d -x 90 -y 24 "env -u CI HISTFILE= PS1='> ' bash --norc --noprofile"
	tm send-keys "'$KILN' shell two $x86/plain/first; echo status=\$?; stty size" Enter
	shown '/build\$'
	tm send-keys 'stty size; sleep 100 | cat' Enter
	shown '^24 90$'
	tm send-keys C-c
	tm send-keys 'echo interrupted=$?' Enter
	shown '^interrupted=130'
	tm resize-window -x 100 -y 30
	tm send-keys 'stty size; jobs; exit 3' Enter
	shown '^30 100$'
	shown '^status=1$'
	tm send-keys 'echo typed' Enter
	shown '^typed$'
	refute left_over
}

# A terminal of which this test is the person: person.py ACTION, then the command.
terminal() {
	cat >person.py <<-'PY'
		import os, pty, select, signal, sys, termios, time
		action, command = sys.argv[1], sys.argv[2:]
		signal.alarm(60)
		pid, master = pty.fork()
		if pid == 0:
		    os.execvp(command[0], command)
		shown = b""
		def until(text, seconds=30):
		    global shown
		    end = time.time() + seconds
		    while text not in shown:
		        if time.time() > end:
		            sys.exit("never shown: %r in %r" % (text, shown[-500:]))
		        if select.select([master], [], [], 0.1)[0]:
		            try:
		                shown += os.read(master, 65536)
		            except OSError:
		                sys.exit("ended before %r: %r" % (text, shown[-500:]))
		until(b"/build$ ")
		if action == "paste":
		    text, sent = b"".join(b"echo line-%d-x\n" % i for i in range(4000)) + b"echo e''nd\nexit\n", 0
		    while sent < len(text):
		        r, w, _ = select.select([master], [master], [], 10)
		        if not r and not w:
		            sys.exit("stuck after %d bytes" % sent)
		        if r:
		            shown = (shown + os.read(master, 65536))[-100000:]
		        if w:
		            sent += os.write(master, text[sent:sent + 1000])
		    until(b"\rend", 40)
		else:
		    before = termios.tcgetattr(master)
		    os.kill(pid, getattr(signal, action))
		    end = time.time() + 10
		    while not termios.tcgetattr(master)[3] & termios.ICANON and time.time() < end:
		        time.sleep(0.05)
		    assert not before[3] & termios.ICANON
		    assert termios.tcgetattr(master)[3] & termios.ICANON and termios.tcgetattr(master)[3] & termios.ECHO
		try: # or it would wait for ever to have its last words read
		    while os.read(master, 65536):
		        pass
		except OSError:
		    pass
		_, status = os.waitpid(pid, 0)
		sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 100)
	PY
	python3 person.py "$@"
}

@test "a long paste goes through" {
	terminal paste "$KILN" shell two "$x86/plain/first"
}

@test "a signal ends the shell and leaves the terminal as it was: 6" {
	for signal in SIGTERM SIGHUP SIGINT; do
		run terminal $signal "$KILN" shell two "$x86/plain/first"
		echo "$signal $status $output"
		[ "$status" -eq 6 ]
	done
	for _ in $(seq 50); do left_over || break; sleep 0.1; done
	refute left_over
}

@test "a terminal of the person's own is handed to nobody" {
	printf 'echo "$@" | "$KILN" shell two %s/plain/first; echo "status=$?" >>out\n' "$x86" >typed.sh
	script -qec "sh typed.sh </dev/null" /dev/null >said 2>&1 </dev/null
	cat said
	grep -q 'status=2' out
	grep -q "standard output is a terminal, and not all of its streams are" said
}
