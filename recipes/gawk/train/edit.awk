# The everyday filter: reads standard input and prints an edited copy; run with -F'[ ,]+' or -F' '.
BEGIN { OFS = "|" }
NR % 2 { $1 = $1 }
/^$/ { blank++; next }
!seen[$1]++ { first++ }
NF > 6 { $(NF + 1) = NR; NF -= 2 }
{
	sub(/^[ \t]+/, "")
	gsub(/[ \t]+/, " ")
	gsub("ra", "[&]")
	if ($2 ~ /^[a-m].*[rst]$/)
		$2 = "<" $2 ">"
	line = $0
	if (length(line) > 100)
		line = substr(line, 1, 60) "..." substr(line, length(line) - 30)
	if (toupper(substr(line, 1, 1)) == substr(line, 1, 1))
		printf "%5d %3d %s\n", NR, NF, line
	else
		print NR, line
	checksum = (checksum * 31 + length($0) + index($0, "e")) % 1000003
	tail[NR % 5] = $NF
}
END {
	for (i = NR - 4; i <= NR; i++)
		printf "%s%s", tail[i % 5], i < NR ? OFS : ORS
	print blank + 0, first, checksum
}
