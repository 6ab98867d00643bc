# No input: numbers, recursion, arrays and string building.
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
function gcd(a, b) { while (b) { t = a % b; a = b; b = t } return a }

function sieve(limit,   i, k, composite, n) {
	for (i = 2; i <= limit; i++) {
		if (i in composite)
			continue
		n++
		for (k = i * i; k <= limit; k += i)
			composite[k] = 1
	}
	return n
}

function multiply(n,   i, j, k, a, b, c, s) {
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n; j++) {
			a[i, j] = i + j / 2
			b[i, j] = i - j * 0.25
		}
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n; j++) {
			s = 0
			for (k = 1; k <= n; k++)
				s += a[i, k] * b[k, j]
			c[i, j] = s
		}
	return c[1, n] + c[n, 1] + c[n, n]
}

function mandelbrot(   x, y, i, cr, ci, zr, zi, t, row) {
	for (y = -10; y <= 10; y++) {
		row = ""
		ci = y / 8
		for (x = -24; x <= 8; x++) {
			cr = x / 14
			zr = zi = 0
			for (i = 0; i < 40; i++) {
				t = zr * zr - zi * zi + cr
				zi = 2 * zr * zi + ci
				zr = t
				if (zr * zr + zi * zi > 4)
					break
			}
			row = row substr(" .:-=+*#%@", 1 + int(i / 4.1), 1)
		}
		print row
	}
}

function caesar(s, by,   i, c, p, out) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		p = index(alphabet, c)
		out = out (p ? substr(alphabet, (p - 1 + by) % 26 + 1, 1) : c)
	}
	return out
}

BEGIN {
	alphabet = "abcdefghijklmnopqrstuvwxyz"
	print fib(21), sieve(20000), multiply(28)
	mandelbrot()
	text = "the quick brown fox jumps over the lazy dog; pack my box with five dozen jugs."
	for (i = 1; i <= 90; i++)
		text = caesar(text, i)
	print text
	x = 12345
	for (i = 1; i <= 60000; i++) {
		x = (x * 1103515245 + 12345) % 2147483648
		bucket[x % 997]++
		switch (x % 5) {
		case 0: zero++; break
		case 1: g += gcd(x % 10000, i); break
		case /3/: three++; break
		default: other += (x % 7 > 3) && !(i % 2) || x % 3 == 1
		}
		key = "k" (x % 4001)
		table[key] = table[key] + i
		if (i % 3 == 0)
			delete table[key]
	}
	do {
		wave += sin(j) * cos(j / 3) + exp(-j / 50) + log(j + 1) + sqrt(j) + atan2(j, 7) + j ^ 1.5
		bits = xor(and(bits + j, 0xffff), lshift(j, 3))
	} while (++j < 12000)
	printf "%.6f %d %d %d %d %d %d %d\n", wave, bits, zero, g, three, other, length(table), length(bucket)
}
