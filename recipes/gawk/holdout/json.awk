# A JSON parser by recursive descent over characters; flattens each document and reports on it.
{ text = text $0 "\n" }
ENDFILE { at = 1; documents++; value("$"); text = "" }

function fail(why) {
	print FILENAME ": " why " at " at ": " substr(text, at, 20)
	exit 1
}

function space() {
	while (index(" \t\n", substr(text, at, 1)) && at <= length(text))
		at++
}

function expect(c) {
	space()
	if (substr(text, at, 1) != c)
		fail("expected " c)
	at++
}

function peek() {
	space()
	return substr(text, at, 1)
}

function string(   s, c) {
	expect("\"")
	while ((c = substr(text, at++, 1)) != "\"") {
		if (c == "\\") {
			c = substr(text, at++, 1)
			c = c == "n" ? "\n" : c == "t" ? "\t" : c
		}
		s = s c
	}
	return s
}

function number(   start) {
	start = at
	while (substr(text, at, 1) ~ /[-+.0-9eE]/)
		at++
	if (at == start)
		fail("expected a value")
	return substr(text, start, at - start) + 0
}

function store(path, kind, what) {
	leaf[path] = what
	kinds[kind]++
	if (kind == "number") {
		sum += what
		if (what < low) low = what
	}
}

function value(path,   c, key, n) {
	c = peek()
	if (c == "{") {
		at++
		while (peek() != "}") {
			key = string()
			expect(":")
			value(path "." key)
			if (peek() == ",")
				at++
		}
		at++
		kinds["object"]++
	} else if (c == "[") {
		at++
		for (n = 0; peek() != "]"; n++) {
			value(path "[" n "]")
			if (peek() == ",")
				at++
		}
		at++
		kinds["array"]++
		if (n > widest)
			widest = n
	} else if (c == "\"")
		store(path, "string", string())
	else if (substr(text, at, 4) == "true" || substr(text, at, 4) == "null") {
		store(path, substr(text, at, 4), 1)
		at += 4
	} else if (substr(text, at, 5) == "false") {
		store(path, "false", 0)
		at += 5
	} else
		store(path, "number", number())
}

END {
	print documents, length(leaf), sum, low, widest
	n = asorti(kinds, names)
	for (i = 1; i <= n; i++)
		print names[i], kinds[names[i]]
	for (path in leaf)
		if (match(path, /tags/))
			tags[leaf[path]]++
	n = asorti(tags, names)
	for (i = 1; i <= n; i += 5)
		printf "%s=%d ", names[i], tags[names[i]]
	print ""
}
