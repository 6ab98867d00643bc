# A web server's log: regular expressions with groups, substitution, decoding, time arithmetic.
function unescape(s,   out, hex) {
	while (match(s, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
		hex = substr(s, RSTART + 1, 2)
		out = out substr(s, 1, RSTART - 1) sprintf("%c", strtonum("0x" hex))
		s = substr(s, RSTART + 3)
	}
	return out s
}

BEGIN {
	split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " ")
	for (i in names)
		month[names[i]] = i
}

match($0, /^([0-9.]+) - ([^ ]+) \[([0-9]+)\/([A-Z][a-z]+)\/([0-9]+):([0-9:]+) [^\]]*\] "([A-Z]+) ([^ "]*)/, m) {
	day = sprintf("%04d-%02d-%02d", m[5], month[m[4]], m[3])
	split(m[6], clock, ":")
	second = clock[1] * 3600 + clock[2] * 60 + clock[3]
	if (previous && second >= previous)
		gaps += second - previous
	previous = second
	hits[m[1]]++
	path = m[8]
	if ((query = index(path, "?")) > 0) {
		n = split(substr(path, query + 1), pair, /[&=]/)
		for (i = 1; i < n; i += 2)
			asked[pair[i]][unescape(pair[i + 1])]++
		path = substr(path, 1, query - 1)
	}
	sub(/\.(html|png)$/, "", path)
	gsub(/[aeiou]+/, "&-", path)
	shape[gensub(/([a-z]+)-([a-z]*)/, "\\2\\1", 1, path)]++
	per_day[day] += $10
}

$9 ~ /^[45]/ { bad[$9]++; worst = $9 > worst ? $9 : worst }
$9 == 304, $9 == 200 { revalidated++ }
/POST/ && !/example/ { posts++ }
tolower($0) ~ /q=.*page=1[0-9]/ { deep++ }
$11 != "\"-\"" {
	if (match($11, "//[^/]+/"))
		site[substr($11, RSTART + 2, RLENGTH - 3)]++
}

END {
	n = asorti(per_day, days)
	for (i = 1; i <= n; i++)
		print days[i], per_day[days[i]]
	n = asort(hits)
	printf "%d addresses, most %d, median %d\n", n, hits[n], hits[int((n + 1) / 2)]
	PROCINFO["sorted_in"] = "@val_num_desc"
	for (s in bad)
		print s, bad[s]
	n = asorti(shape, shapes)
	for (i = 1; i <= n; i += 40)
		print shapes[i], shape[shapes[i]]
	print length(asked["q"]), length(asked["page"]), length(site), posts, deep, revalidated, gaps, worst
}
