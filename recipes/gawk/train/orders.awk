# Comma-separated orders: totals by several keys, sorted reports, nested arrays.
# Run with -F, over orders.csv (the file may be given several times).
FNR == 1 { files++; next }

{
	amount = $6 * $7
	total += amount
	count[$8]++
	by_city[$4] += amount
	by_month[substr($2, 1, 7)] += amount
	split($5, item, "-")
	nested[item[1]][$8] += $6
	if (!($3 in largest) || largest[$3] < amount) {
		largest[$3] = amount
		order_of[$3] = $1
	}
	$7 = sprintf("%.1f", $7 * 1.19)
	rebuilt += length($0)
}

$8 == "returned" && $6 > 15 { big_returns[$4 SUBSEP $5]++ }
$2 ~ /-(06|07|08)-/ && $8 != "open" { summer++ }

function by_value_down(i1, v1, i2, v2) {
	if (v1 != v2)
		return v1 < v2 ? 1 : -1
	return i1 < i2 ? -1 : i1 > i2
}

function heading(text) {
	printf "%s\n%s\n", text, gensub(/./, "-", "g", text)
}

END {
	printf "%d files, %d orders, %.2f in all, %d in summer, %d characters\n", files, FNR - 1, total, summer, rebuilt
	heading("Best customers")
	PROCINFO["sorted_in"] = "by_value_down"
	for (who in largest) {
		if (++shown > 8)
			break
		printf "%-24s %12.2f #%05d\n", who, largest[who], order_of[who]
	}
	heading("Months")
	PROCINFO["sorted_in"] = "@ind_str_asc"
	for (month in by_month)
		months = months (months ? " " : "") month "=" int(by_month[month])
	print substr(months, 1, 400)
	heading("Items")
	for (name in nested) {
		line = name ":"
		for (state in nested[name])
			line = line sprintf(" %s %d;", state, nested[name][state])
		print toupper(substr(line, 1, 1)) substr(line, 2)
	}
	n = asorti(by_city, cities)
	for (i = 1; i <= n; i += 7)
		printf "%s%s", cities[i], (i + 7 > n ? "\n" : ", ")
	for (key in big_returns) {
		split(key, part, SUBSEP)
		returns[part[1]] += big_returns[key]
	}
	print length(returns), length(big_returns), length(count)
}
