# kiln store: an empty store, and words that are wrong.
# shellcheck disable=SC2154 # status, output and stderr are from run
bats_require_minimum_version 1.5.0

setup() {
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
}

@test "an empty store" {
	run -0 "$KILN" store stats
	[[ $output == "store     $KILN_STORE"* ]]
	[[ $output == *"blobs     0 B in 0"*"results   0 of stages"* ]]
	run -0 "$KILN" store gc
	[ "${lines[0]}" = "removed  0 B in 0 blobs, 0 B in 0 images, results of 0 stages" ]
	run -0 "$KILN" store fsck
	[ "${lines[0]}" = "blobs    0, 0 B: 0 corrupt" ]
	[ "${lines[1]}" = "results  0: 0 forgotten" ]
	for command in stats gc fsck; do
		"$KILN" store $command --json | python3 -c "import json,sys; assert json.load(sys.stdin)['schema'] == 'kiln.store.$command/1'"
	done
}

@test "sizes and ages that are none" {
	for size in '' x -1 10X 1.5G 99999999T; do
		run -2 "$KILN" store gc --size "$size"
		[[ $output == *"--size takes a number of bytes, or one with K, M, G or T, not \"$size\""* ]]
	done
	for age in '' x -1 3d 100001; do
		run -2 "$KILN" store gc --age "$age"
		[[ $output == *"--age takes a number of days, not \"$age\""* ]]
	done
	run -0 "$KILN" store gc --size 10g --age 30
	run -0 "$KILN" store gc --size 0
}

@test "a store that cannot be opened" {
	mkdir "$KILN_STORE"
	echo x >"$KILN_STORE/letter"
	for command in stats gc fsck; do
		run -7 "$KILN" store $command
		[[ $output == *"is not a store of Kiln"* ]]
	done
}
