# scripts/setup on machines that lack something: stub commands in a PATH of their own.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/setup
	cd "$BATS_TEST_TMPDIR"
	mkdir bin
	for tool in bash env grep cut sort tr cat true; do
		ln -s "$(type -P $tool)" bin/
	done
	for tool in gcc make pkg-config protoc-c bwrap newuidmap dpkg-source git; do
		stub $tool 'exit 0'
	done
	printf 'PRETTY_NAME="x"\nID=debian\n' >os-release
	stub id 'echo 0'
	# "Installing" mmdebstrap makes the command appear.
	stub apt-get 'echo "apt-get $*" >>log; case "$*" in *install*mmdebstrap*) echo "#!/bin/sh" >bin/mmdebstrap; /bin/chmod +x bin/mmdebstrap;; esac'
	export KILN_OS_RELEASE=$PWD/os-release
	# Files that this test machine may lack count as there or not; only mmdebstrap is looked at.
	for file in /usr/include/stdio.h /usr/share/keyrings/debian-archive-keyring.gpg /etc/ssl/certs/ca-certificates.crt; do
		[ -e "$file" ] || skip "$file is missing here: install what scripts/setup names"
	done
}

stub() {
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

@test "when nothing is missing nothing is installed" {
	stub mmdebstrap 'exit 0'
	PATH=$PWD/bin run "$script"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = "setup: nothing is missing" ]
	[ ! -e log ]
}

@test "root on Debian: what is missing is named and installed, and only that" {
	PATH=$PWD/bin run "$script"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"command mmdebstrap (Debian package mmdebstrap)"* ]]
	[ "$(grep -c install log)" = 1 ]
	[[ $(grep install log) == *"--no-install-recommends mmdebstrap" ]]
	[[ $(head -n 1 log) == *update ]]
}

@test "an installation that does not bring the command fails" {
	stub apt-get 'exit 0'
	PATH=$PWD/bin run "$script"
	[ "$status" = 5 ]
	[[ $output == *"still missing"*mmdebstrap* ]]
}

@test "apt-get that fails is told with the line to type" {
	stub apt-get 'exit 100'
	PATH=$PWD/bin run "$script"
	[ "$status" = 7 ]
	[[ $output == *"install --yes --no-install-recommends mmdebstrap"* ]]
}

@test "without root and sudo: one line to type, exit 5, nothing done" {
	stub id 'echo 1000'
	PATH=$PWD/bin run "$script"
	echo "$output"
	[ "$status" = 5 ]
	[[ $output == *"type: su -c 'apt-get update && apt-get install"*mmdebstrap\'* ]]
	[ ! -e log ]
}

@test "with a sudo that asks for a password the same" {
	stub id 'echo 1000'
	stub sudo 'exit 1'
	PATH=$PWD/bin run "$script"
	[ "$status" = 5 ]
	[ ! -e log ]
}

@test "with a sudo that does not ask it is used" {
	stub id 'echo 1000'
	stub sudo 'shift; echo sudo >>log; exec "$@"'
	PATH=$PWD/bin run "$script"
	echo "$output"
	[ "$status" = 0 ]
	[[ $(cat log) == *sudo*install* ]]
}

@test "elsewhere than on Debian: the line, exit 5, nothing done" {
	printf 'ID=fedora\n' >os-release
	PATH=$PWD/bin run "$script"
	echo "$output"
	[ "$status" = 5 ]
	[[ $output == *"not Debian"*mmdebstrap* ]]
	[ ! -e log ]
}

@test "--list names the packages and does nothing" {
	PATH=$PWD/bin run "$script" --list
	[ "$status" = 0 ]
	[ "$output" = "mmdebstrap" ]
	[ ! -e log ]
}
