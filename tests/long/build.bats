# Kiln is itself built reproducibly: the same program in another folder, with another umask, locale,
# time zone and number of jobs.

@test "two builds in two folders give the same program" {
	for n in 1 2; do
		mkdir "$BATS_TEST_TMPDIR/folder$n"
		git ls-files -z --cached --others --exclude-standard |
			xargs -0 cp --parents -t "$BATS_TEST_TMPDIR/folder$n"
	done
	unset MAKEFLAGS MAKELEVEL
	(cd "$BATS_TEST_TMPDIR/folder1" && umask 022 && make -s -j1 all)
	(cd "$BATS_TEST_TMPDIR/folder2" && umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo make -s -j3 all)
	cmp "$BATS_TEST_TMPDIR/folder1/build/libkiln.a" "$BATS_TEST_TMPDIR/folder2/build/libkiln.a"
	if [ -e "$BATS_TEST_TMPDIR/folder1/build/kiln" ]; then
		for program in kiln kiln-main; do
			cmp "$BATS_TEST_TMPDIR/folder1/build/$program" "$BATS_TEST_TMPDIR/folder2/build/$program"
		done
	fi
}

@test "clang builds the program and every test without a warning" {
	command -v clang-19 >/dev/null || skip "clang-19 is missing: install the Debian package clang-19"
	unset MAKEFLAGS MAKELEVEL
	make -s -j"$(nproc)" CC=clang-19 BUILD="$BATS_TEST_TMPDIR/clang" tests
}
