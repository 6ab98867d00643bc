# The tree itself keeps to its own rules.

@test "includes keep to orchestrator/LAYERS" {
	scripts/check-layers
}

@test "no function or file is too long" {
	scripts/check-size
}

@test "no registry host names, developer paths or notes about unfinished work" {
	scripts/check-words
}

@test "every header compiles alone" {
	make -s --no-print-directory check-headers
}

@test "shell scripts pass shellcheck" {
	command -v shellcheck >/dev/null || skip "shellcheck is missing: install the Debian package shellcheck"
	make -s --no-print-directory lint-scripts
}

@test "the code is formatted" {
	command -v clang-format-19 >/dev/null || skip "clang-format-19 is missing: install the Debian package clang-format-19"
	make -s --no-print-directory lint-format
}

@test "cppcheck has nothing against it" {
	command -v cppcheck >/dev/null || skip "cppcheck is missing: install the Debian package cppcheck"
	make -s --no-print-directory lint-cppcheck
}

@test "setup and the Makefile name the same libraries" {
	make_names=$(grep -oE '[a-z0-9.-]+:lib[a-z0-9.-]+-dev' Makefile | tr ':' ' ' | sort)
	setup_names=$(sed -n '/^build_needs/,/^EOF/s/^module //p' scripts/setup | sort)
	[ -n "$make_names" ]
	[ "$make_names" = "$setup_names" ]
}
