# No input: searching and dynamic programming rather than arithmetic.
function place(row,   c, found) {
	if (row > size)
		return 1
	for (c = 1; c <= size; c++)
		if (!(c in column) && !((row + c) in up) && !((row - c) in down)) {
			column[c]; up[row + c]; down[row - c]
			found += place(row + 1)
			delete column[c]; delete up[row + c]; delete down[row - c]
		}
	return found
}

function distance(a, b,   i, j, la, lb, d, cost, best) {
	la = length(a); lb = length(b)
	for (i = 0; i <= la; i++) d[i][0] = i
	for (j = 0; j <= lb; j++) d[0][j] = j
	for (i = 1; i <= la; i++)
		for (j = 1; j <= lb; j++) {
			cost = substr(a, i, 1) != substr(b, j, 1)
			best = d[i - 1][j - 1] + cost
			if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1
			if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1
			d[i][j] = best
		}
	return d[la][lb]
}

function life(generations,   g, x, y, n, key, next_one, neighbours, part) {
	split("2,1 3,2 1,3 2,3 3,3 20,20 21,20 22,20 21,19 30,8 31,8 30,9 29,9 30,10", start, " ")
	for (n in start)
		alive[start[n]] = 1
	for (g = 1; g <= generations; g++) {
		delete neighbours
		for (key in alive) {
			split(key, part, ",")
			for (x = part[1] - 1; x <= part[1] + 1; x++)
				for (y = part[2] - 1; y <= part[2] + 1; y++)
					if (x != part[1] || y != part[2])
						neighbours[x "," y]++
		}
		delete next_one
		for (key in neighbours)
			if (neighbours[key] == 3 || (neighbours[key] == 2 && key in alive))
				next_one[key] = 1
		delete alive
		for (key in next_one)
			alive[key] = 1
	}
	return length(alive)
}

function roman(n,   out, i) {
	for (i = 1; i <= 13; i++)
		while (n >= arabic[i]) {
			out = out numeral[i]
			n -= arabic[i]
		}
	return out
}

BEGIN {
	split("1000 900 500 400 100 90 50 40 10 9 5 4 1", arabic, " ")
	split("M CM D CD C XC L XL X IX V IV I", numeral, " ")
	size = 8
	print place(1), life(150)
	words = split("kitten sitting saturday sunday interpretation optimisation profile probe instrument instant", word, " ")
	for (i = 1; i <= words; i++)
		for (j = i; j <= words; j++)
			total += distance(word[i], word[j])
	for (i = 1; i < 3000; i += 2) {
		r = roman(i)
		if (length(r) > length(longest))
			longest = r
		mm += r ~ /^M+X?C?[IVX]*$/
	}
	print total, longest, mm
	steps = 0
	for (i = 1; i < 3000; i++) {
		n = i
		for (k = 0; n != 1; k++)
			n = n % 2 ? 3 * n + 1 : n / 2
		if (k > steps) { steps = k; at = i }
	}
	print at, steps
}
