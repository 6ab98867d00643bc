# Paragraphs of text: records by blank lines, fields by pattern, word counts, wrapping.
BEGIN {
	RS = ""
	FPAT = "[A-Za-z]+|[0-9]+"
	width = 60
}

{
	paragraphs++
	for (i = 1; i <= NF; i++) {
		w = tolower($i)
		if (w ~ /^[0-9]+$/) {
			sum += w
			continue
		}
		words[w]++
		letters[length(w)]++
		if (substr(w, 1, 1) == substr(w, length(w)))
			mirrored[w]
		pairs[last, w]++
		last = w
	}
	sentences += gsub(/[.!][ \n]?/, "&")
	n = split($0, line, "\n")
	for (i = 1; i <= n; i++)
		longest = length(line[i]) > length(longest) ? line[i] : longest
	wrapped += wrap($0)
}

function wrap(text,   part, n, i, column, lines) {
	n = split(text, part, /[ \n]+/)
	for (i = 1; i <= n; i++) {
		if (column + length(part[i]) + 1 > width) {
			lines++
			column = 0
		}
		column += length(part[i]) + 1
	}
	return lines + 1
}

function reverse(s,   i, r) {
	for (i = length(s); i > 0; i--)
		r = r substr(s, i, 1)
	return r
}

END {
	print paragraphs, sentences, wrapped, sum, length(pairs), length(mirrored)
	n = asorti(words, order, "@val_num_desc")
	for (i = 1; i <= n; i++)
		total += words[order[i]]
	most = words[order[1]]
	for (w in words) {
		if (words[w] == most)
			print "most frequent:", w, most
		if (reverse(w) in words)
			palindromes++
	}
	for (i = 1; i in letters || i < 5; i++)
		printf "%2d %6d %s\n", i, letters[i], substr("****************************************", 1, letters[i] / 100)
	print n, total, palindromes + 0, longest
}
