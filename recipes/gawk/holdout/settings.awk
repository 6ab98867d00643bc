# Sections of key = value: unquotes, expands ${...}, sizes with a unit, then prints them aligned.
BEGIN { FS = " *= *"; IGNORECASE = 1 }
FNR == 1 { delete setting; delete section_of; round++ }
/^[ \t]*(;|$)/ { skipped++; next }

match($0, /^\[([^.\]]+)\.(.*)\]$/, part) {
	section = part[1] "/" part[2]
	sections[section] = round
	next
}

NF >= 2 {
	key = $1
	gsub(/^[ \t]+|[ \t]+$/, "", key)
	what = substr($0, index($0, "=") + 1)
	sub(/^[ \t]+/, "", what)
	if (what ~ /^".*"$/)
		what = substr(what, 2, length(what) - 2)
	else if (what ~ /^[0-9]+K$/)
		what = substr(what, 1, length(what) - 1) * 1024
	setting[section, key] = expand(what, 0)
	section_of[key] = section
	longest = length(key) > longest ? length(key) : longest
}

function expand(s, depth,   before, name, rest, candidate, found) {
	if (depth > 5 || !match(s, /\$\{[^}]*\}/))
		return s
	before = substr(s, 1, RSTART - 1)
	name = substr(s, RSTART + 2, RLENGTH - 3)
	rest = substr(s, RSTART + RLENGTH)
	found = ""
	for (candidate in section_of)
		if (index(candidate, name "_") == 1 && (found == "" || candidate < found))
			found = candidate
	if (found != "")
		return expand(before "(" section_of[found] ")" rest, depth + 1)
	return expand(before "<" name ">" rest, depth + 1)
}

END {
	n = asorti(setting, keys)
	for (i = 1; i <= n; i++) {
		split(keys[i], k, SUBSEP)
		v = setting[keys[i]]
		out = sprintf("%-20s %*s : %s", k[1], longest, k[2], v == v + 0 ? sprintf("%'d", v) : "'" toupper(v) "'")
		check = (check * 131 + length(out)) % 65521
		if (i % 30 == 0)
			print out
	}
	print n, length(sections), skipped, check
}
