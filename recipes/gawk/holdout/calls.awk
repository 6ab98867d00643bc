# Fixed-width trace of nested calls: self and total time per function, deepest stack, call graph.
BEGIN { FIELDWIDTHS = "8 12 6 1 5" }

{
	name = $2
	sub(/ +$/, "", name)
	time = $3 + 0
	clock += time
	address = strtonum("0x" $1)
	parity = xor(parity, and(address, 0xff))
}

$5 == "enter" {
	if (depth)
		edge[stack[depth] " -> " name]++
	stack[++depth] = name
	entered[depth] = clock
	inner[depth] = 0
	if (depth > deepest) {
		deepest = depth
		path = ""
		for (i = 1; i <= depth; i++)
			path = path "/" stack[i]
	}
	next
}

$5 == "leave" && depth > 0 {
	spent = clock - entered[depth]
	self[name] += spent - inner[depth]
	calls[name]++
	if (spent > slowest[name])
		slowest[name] = spent
	delete stack[depth]
	if (--depth)
		inner[depth] += spent
}

ENDFILE { unfinished += depth; depth = 0 }

function quicksort(a, left, right,   i, last, t) {
	if (left >= right)
		return
	t = a[left]; i = int((left + right) / 2); a[left] = a[i]; a[i] = t
	last = left
	for (i = left + 1; i <= right; i++)
		if (self[a[i]] > self[a[left]] || (self[a[i]] == self[a[left]] && a[i] < a[left])) {
			t = a[++last]; a[last] = a[i]; a[i] = t
		}
	t = a[left]; a[left] = a[last]; a[last] = t
	quicksort(a, left, last - 1)
	quicksort(a, last + 1, right)
}

END {
	for (name in self)
		order[++n] = name
	quicksort(order, 1, n)
	for (i = 1; i <= n && i <= 15; i++)
		printf "%-14s %6d calls %10d self %8.1f each %7d slowest\n", order[i], calls[order[i]], self[order[i]], self[order[i]] / calls[order[i]], slowest[order[i]]
	print deepest, unfinished, length(edge), parity, path
}
