# A signing key is read by the signing step alone: a stage that looks for it everywhere finds
# nothing, and neither store, log, events nor release hold a word of it.
load helper

setup() {
	e2e_setup
	hello
	"$KILN" keygen release >/dev/null
	secret=$(sed -n 2p release.pem)
	[ "${#secret}" -ge 60 ]
	# The compiler's stage reads what it can: environment, open files, every process it sees.
	cat >>hello/src/Makefile <<'EOF'

hello.o: look
look:
	@echo "looking"; env; ls -l /proc/self/fd /proc/1/fd; \
	for p in /proc/[0-9]*; do tr '\0' '\n' <$$p/environ; tr '\0' '\n' <$$p/cmdline; done; \
	for n in 3 4 5 6 7 8 9; do cat /proc/self/fd/$$n; done; true
EOF
	# New each time, so that the stage runs.
	echo "# $BATS_TEST_NUMBER $(date +%s)" >>hello/src/Makefile
	touch stamp
}

# Everything that this run wrote: the store (without the image), the release, what was printed.
everything() {
	find "$KILN_STORE" -path '*/images' -prune -o -cnewer stamp -type f -print0
	find dist -type f -print0
	printf '%s\0' out err events
}

nowhere() {
	everything >list
	echo "$(tr '\0' '\n' <list | grep -c "^$KILN_STORE/blobs/") new blobs"
	[ "$(tr '\0' '\n' <list | grep -c "^$KILN_STORE/blobs/")" -ge 5 ]
	run xargs -0 -a list grep -lF -e "${secret:40}"
	echo "$output"
	[ "$status" -eq 123 ]
	[ -z "$output" ]
	"$KILN" verify dist/hello-1.0 --key release.pub.pem >/dev/null
	# shellcheck disable=SC2154 # x86 is the helper's
	"$KILN" log -C hello "$x86/pgo+lto/rebuild" >said
	grep -q '^looking$' said
	grep -q '^LOGNAME=builder$' said
	run ! grep -F -e "${secret:40}" -e MY_SECRET said
}

release() {
	"$KILN" release --target "$x86" --events events -o dist "$@" hello >out 2>err
}

@test "a key in the environment stays out of stages, store, logs and release" {
	MY_SECRET=$(cat release.pem) release --key env:MY_SECRET
	nowhere
}

@test "a key behind a descriptor stays out of stages, store, logs and release" {
	release --key fd:3 3<release.pem
	nowhere
}

@test "a key in a file stays out of stages, store, logs and release" {
	chmod 600 release.pem
	release --key file:release.pem
	nowhere
}
