# What the lock promises, on the real programs: from an empty second store, in another folder, by
# another user, a release has the same artefact bytes and trains nothing.
# shellcheck disable=SC2154 # x86 and top come from the helper
load helper

setup() { e2e_setup; }

other_user() {
	[ "$(id -u)" -eq 0 ] || return 1
	id kilne2e >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --shell /bin/false kilne2e
	grep -q '^kilne2e:' /etc/subuid || echo 'kilne2e:4000000:65536' >>/etc/subuid
	grep -q '^kilne2e:' /etc/subgid || echo 'kilne2e:4000000:65536' >>/etc/subgid
}

@test "gawk and lua: another user, another folder, an empty store: same artefact bytes" {
	other_user || skip "needs root to become another user"
	home=$(mktemp -d /tmp/kiln-long.XXXXXX)
	mkdir "$home/project" here
	for recipe in gawk lua; do lock=$(project_lock "$recipe.lua"); done
	cp -r "$top/recipes" "$lock" "$(dirname "$lock")/kiln.profiles" "$home/project/"
	cp -r "$home/project/." here/
	chown -R kilne2e "$home"
	chmod 755 "$home"
	for recipe in gawk lua; do
		"$KILN" -C here release --unsigned -o "$PWD/dist" "recipes/$recipe.lua"
		setpriv --reuid=kilne2e --regid=kilne2e --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
			KILN_DEBIAN_MIRROR="${KILN_DEBIAN_MIRROR:-}" "$KILN" -C "$home/project" release --unsigned \
			--progress plain -o "$home/dist" "recipes/$recipe.lua" 2>"$recipe.log" || { tail -n 40 "$recipe.log"; false; }
		refute grep -Eq '(start|done) .*/(instrument|train)' "$recipe.log"
		for folder in dist/"$recipe"-*; do
			jq -r '.files[] | select(.class == "artefact") | .file' "$folder/manifest.json" >artefacts
			[ "$(wc -l <artefacts)" -ge 13 ]
			while read -r file; do cmp "$folder/$file" "$home/$folder/$file"; done <artefacts
		done
	done
	rm -rf "$home"
}
