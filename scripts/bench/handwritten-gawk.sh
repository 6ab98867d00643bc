#!/bin/bash
# usage: handwritten-gawk.sh ROOTFS SOURCE_TARBALL OUT [TRIPLE]...
#
# The gawk release of recipes/gawk.lua as one person would write it without Kiln: plain, ThinLTO, PGO and BOLT
# variants from one configured tree, trained, compared and packed, strictly one stage after the other. It is the
# baseline of `make bench`: same image, same source, same flags, same workloads.
#
# ROOTFS is an unpacked image of containers/trixie.yaml, SOURCE_TARBALL Debian's gawk_5.2.1.orig.tar.xz. Triples:
# x86_64-unknown-linux-gnu (the default) and aarch64-unknown-linux-gnu (cross-compiled, trained under qemu).
# Stage times go to OUT/times.tsv and stdout (triple, stage, seconds); packages and their sums to OUT/dist.
# JOBS sets make's -j, SOURCE_DATE_EPOCH the date inside the packages.
set -euo pipefail

die() {
	echo "handwritten-gawk: $*" >&2
	exit 1
}

[ $# -ge 3 ] || die "usage: $0 ROOTFS SOURCE_TARBALL OUT [TRIPLE]..."
rootfs=$(realpath -e "$1")
tarball=$(realpath -e "$2")
mkdir -p "$3"
out=$(realpath -e "$3")
shift 3
[ $# -gt 0 ] || set -- x86_64-unknown-linux-gnu
workloads=$(realpath -e "$(dirname "$0")/../../recipes/gawk")
[ -x "$rootfs/usr/lib/llvm-19/bin/clang" ] || die "$rootfs: no clang 19 in there; give an unpacked image of containers/trixie.yaml"
command -v bwrap >/dev/null || die "bwrap is missing: install bubblewrap"
jobs=${JOBS:-$(nproc)}
epoch=${SOURCE_DATE_EPOCH:-1676813453}
release=$(basename "$tarball" | sed -E 's/\.orig\.tar\..*$|\.tar\..*$//; s/_/-/')

# inside COMMAND...: runs in the image, offline, with the work folder as /build
inside() {
	bwrap --unshare-all --die-with-parent --new-session --hostname builder --cap-drop ALL --uid 1000 --gid 1000 \
		--ro-bind "$rootfs" / --dev /dev --proc /proc --tmpfs /tmp --bind "$work" /build --chdir "/build${folder:-}" \
		--clearenv --setenv PATH /usr/lib/llvm-19/bin:/usr/bin:/bin --setenv HOME /tmp --setenv USER builder \
		--setenv LOGNAME builder --setenv LC_ALL C.UTF-8 --setenv TZ UTC --setenv SOURCE_DATE_EPOCH "$epoch" \
		--setenv LLVM_PROFILE_FILE "${profraw:-/dev/null}" -- "$@"
}

# stage NAME COMMAND...: the command with its time taken and its output in a log
stage() {
	local name=$1 from to
	shift
	from=$(date +%s%N)
	# a subshell under plain `set -e`: within `if` or `||` a failure half-way through a function would be lost
	set +e
	(
		set -e
		"$@"
	) >"$work/log/$name" 2>&1
	local status=$?
	set -e
	to=$(date +%s%N)
	if [ $status -ne 0 ]; then
		tail -n 30 "$work/log/$name" >&2
		die "$triple: stage $name failed (exit $status), see $work/log/$name"
	fi
	printf '%s\t%s\t%d.%03d\n' "$triple" "$name" $(((to - from) / 1000000000)) $(((to - from) / 1000000 % 1000)) |
		tee -a "$out/times.tsv"
}

unpack() {
	mkdir "$work/src"
	tar --no-same-owner --strip-components=1 -xf "$tarball" -C "$work/src"
	cp -r "$workloads/train" "$workloads/holdout" "$work/"
}

configure() {
	folder=/src inside ./configure --build=x86_64-pc-linux-gnu --host="$host" CC="$cc" CFLAGS=-O2 LDFLAGS=-fuse-ld=lld \
		AR=llvm-ar RANLIB=llvm-ranlib --disable-nls --without-readline --disable-mpfr --disable-extensions \
		--disable-pma "${answers[@]}"
	rm "$work/src/config.log"
	find "$work/src" -exec touch -h -d "@$epoch" {} +
}

# build VARIANT CFLAGS [LDFLAGS]: always in /build/b, since the folder's name may reach profile and binary
build() {
	rm -rf "$work/b"
	cp -a "$work/src" "$work/b"
	inside make -C b -j"$jobs" all 'SUBDIRS=support .' CFLAGS="$2" LDFLAGS="-fuse-ld=lld ${3:-}"
	cp "$work/b/gawk" "$work/bin/$1"
}

# training PROGRAM FOLDER: every training run, its standard output in FOLDER/out, its profiles in FOLDER/prof/N
training() {
	local program=$1 to=$2 n=0
	local orders=train/data/orders.csv access=train/data/access.log prose=train/data/prose.txt
	rm -rf "${work:?}/$to"
	mkdir -p "$work/$to/out"
	one() {
		n=$((n + 1))
		# BOLT's runtime knows one file name, so each run gets /build/prof and hands it over
		rm -rf "$work/prof"
		mkdir -p "$work/prof" "$work/$to/prof"
		profraw=/build/prof/%m-%p.profraw inside setarch -R "${emulator[@]}" "./$program" "$@" >"$work/$to/out/$n"
		mv "$work/prof" "$work/$to/prof/$n"
	}
	one -F, -f train/orders.awk $orders $orders $orders $orders $orders </dev/null
	one -f train/access.awk $access $access </dev/null
	one -f train/prose.awk $prose $prose $prose $prose $prose </dev/null
	one -f train/compute.awk </dev/null
	one -F '[ ,]+' -f train/edit.awk $prose $access $prose $orders </dev/null
	one -f train/edit.awk <"$work/$access"
}

holdout() {
	local program=$1 i all=()
	for i in json:inventory.json settings:settings.ini calls:trace.txt; do
		echo "== $i"
		inside "${emulator[@]}" "./$program" -f "holdout/${i%%:*}.awk" "holdout/data/${i#*:}"
	done
	all=("${emulator[@]}" "./$program" -f holdout/puzzles.awk)
	inside "${all[@]}"
}

merge_profraw() {
	# llvm-profdata takes an empty file without a word
	[ -z "$(find "$work/pgo/prof" -name '*.profraw' -empty)" ]
	inside llvm-profdata merge --failure-mode=any -o kiln.profdata pgo/prof
	inside llvm-profdata show kiln.profdata | grep -q '^Total functions: [1-9]'
}

bolt_instrument() {
	inside llvm-bolt bin/pgo -instrument -o bin/bolt-instrumented --instrumentation-file=/build/prof/p \
		--instrumentation-file-append-pid "${runtime[@]}"
}

merge_fdata() {
	# sorted, because line order varies and BOLT's result would follow it
	(cd "$work" && inside merge-fdata bolt/prof/*/p.*.fdata) 2>/dev/null | LC_ALL=C sort >"$work/kiln.fdata"
	[ -s "$work/kiln.fdata" ]
}

bolt() {
	inside llvm-bolt bin/pgo -o bin/pgo-bolt -data=kiln.fdata -reorder-blocks=ext-tsp -reorder-functions=cdsort \
		-split-functions -split-all-cold -split-eh -icf=1 -no-huge-pages -dyno-stats | tee "$work/bolt.log"
	# a stale or foreign profile optimises nothing and still ends with 0
	! grep -E 'BOLT-ERROR|invalid \(possibly stale\) profile|BOLT-INFO: 0 out of ' "$work/bolt.log"
}

strip_all() {
	local v
	for v in plain lto pgo pgo-bolt; do
		inside llvm-strip -o "bin/$v.stripped" "bin/$v"
	done
}

smoke() {
	local v
	mkdir "$work/smoke"
	for v in plain lto pgo pgo-bolt; do
		holdout "bin/$v.stripped" >"$work/smoke/$v"
		cmp "$work/smoke/plain" "$work/smoke/$v"
	done
}

package() {
	local name=$release-$triple
	mkdir -p "$work/pkg/$name/bin"
	cp "$work/bin/pgo-bolt.stripped" "$work/pkg/$name/bin/gawk"
	cp "$work/src/COPYING" "$work/src/README" "$work/src/NEWS" "$work/pkg/$name/"
	folder=/pkg inside tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		--format=ustar -cf "$name.tar" "$name"
	folder=/pkg inside xz -9 -T1 "$name.tar"
	mv "$work/pkg/$name.tar.xz" "$out/dist/"
	cp "$work/kiln.profdata" "$out/dist/$name.profdata"
	cp "$work/kiln.fdata" "$out/dist/$name.fdata"
}

release() {
	local o3='-O3 -flto=thin'
	stage unpack unpack
	stage configure configure
	stage build-plain build plain -O2
	stage build-lto build lto "$o3"
	stage build-instrumented build instrumented "$o3 -fprofile-generate"
	stage train-pgo training bin/instrumented pgo
	stage merge-profdata merge_profraw
	stage build-pgo build pgo "$o3 -fprofile-use=/build/kiln.profdata -Werror=backend-plugin" -Wl,--emit-relocs
	stage bolt-instrument bolt_instrument
	stage train-bolt training bin/bolt-instrumented bolt
	stage merge-fdata merge_fdata
	stage bolt bolt
	stage strip strip_all
	stage smoke smoke
	stage package package
}

rm -rf "$out/work" "$out/dist"
mkdir -p "$out/dist"
: >"$out/times.tsv"
for triple in "$@"; do
	work=$out/work/$triple
	mkdir -p "$work/bin" "$work/log"
	emulator=() runtime=() answers=()
	case $triple in
	x86_64-unknown-linux-gnu)
		cc=clang host=x86_64-pc-linux-gnu
		;;
	aarch64-unknown-linux-gnu)
		cc='clang --target=aarch64-linux-gnu' host=aarch64-unknown-linux-gnu
		# -R fixes the guest's addresses, as setarch does natively
		emulator=(qemu-aarch64 -R 0x100000000)
		runtime=(--runtime-instrumentation-lib=aarch64/libbolt_rt_instr.a)
		# what configure would find out by running a program
		answers=(ac_cv_func_working_mktime=yes 'CPPFLAGS=-DPRINTF_HAS_F_FORMAT=1 -DPRINTF_HAS_A_FORMAT=1')
		;;
	*)
		die "$triple: not one of x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu"
		;;
	esac
	release
done
(cd "$out/dist" && sha256sum -- * >SHA256SUMS)
awk -F'\t' '{ s += $3 } END { printf "all\ttotal\t%.3f\n", s }' "$out/times.tsv" | tee -a "$out/times.tsv"
