# Writes the synthetic input files of the gawk workloads; the same bytes on every awk:
#   awk -v what=orders -f generate.awk >train/data/orders.csv
# what: orders, access, prose (training); inventory, settings, trace (held out).

function rnd(n) {
	seed = (seed * 16807) % 2147483647
	return seed % n
}

function word(   s, k) {
	s = ""
	for (k = 1 + rnd(3); k > 0; k--)
		s = s onset[1 + rnd(n_onset)] vowel[1 + rnd(n_vowel)]
	return rnd(3) ? s : s coda[1 + rnd(n_coda)]
}

function capital(s) {
	return toupper(substr(s, 1, 1)) substr(s, 2)
}

function orders(   i) {
	print "id,date,customer,city,item,quantity,price,state"
	for (i = 1; i <= 2200; i++)
		printf "%d,%04d-%02d-%02d,%s %s,%s,%s-%d,%d,%d.%02d,%s\n", 10000 + i, 2015 + rnd(9),
			1 + rnd(12), 1 + rnd(28), name[1 + rnd(60)], name[61 + rnd(60)],
			name[121 + rnd(25)], vocabulary[1 + rnd(40)], rnd(9), 1 + rnd(20),
			1 + rnd(900), rnd(100), rnd(12) ? "shipped" : (rnd(2) ? "returned" : "open")
}

function access(   i, p, s) {
	split("GET GET GET GET POST HEAD", method, " ")
	split("200 200 200 200 304 304 404 500 301", status, " ")
	for (i = 1; i <= 1500; i++) {
		s = s + rnd(40)
		p = "/" vocabulary[1 + rnd(30)]
		if (rnd(2))
			p = p "/" vocabulary[1 + rnd(200)] (rnd(3) ? ".html" : ".png")
		if (rnd(4) == 0)
			p = p "?q=" vocabulary[1 + rnd(400)] "%20" vocabulary[1 + rnd(400)] "&page=" rnd(20)
		printf "10.%d.%d.%d - %s [%02d/%s/2021:%02d:%02d:%02d +0000] \"%s %s HTTP/1.1\" %s %d \"%s\"\n",
			rnd(3), rnd(16), 1 + rnd(250), rnd(9) ? "-" : vocabulary[1 + rnd(50)],
			1 + int(s / 86400) % 28, "Mar", int(s / 3600) % 24, int(s / 60) % 60, s % 60,
			method[1 + rnd(6)], p, status[1 + rnd(9)], rnd(60000),
			rnd(2) ? "-" : "http://" vocabulary[1 + rnd(90)] ".example/" rnd(1000)
	}
}

function prose(   i, k, m, line, w) {
	for (i = 1; i <= 140; i++) {
		line = ""
		for (k = 2 + rnd(5); k > 0; k--) {
			w = capital(vocabulary[1 + rnd(900)])
			for (m = 4 + rnd(12); m > 0; m--) {
				# the square of a uniform draw favours the front of the list
				w = w (rnd(11) ? " " : ", ") vocabulary[1 + int(rnd(900) * rnd(900) / 900)]
				if (rnd(60) == 0)
					w = w " " rnd(10000)
			}
			line = line w (rnd(6) ? ". " : "! ")
			if (length(line) > 70) {
				print line
				line = ""
			}
		}
		print line
		print ""
	}
}

function inventory(   i, k) {
	print "["
	for (i = 1; i <= 230; i++) {
		printf "  {\"id\": %d, \"label\": \"%s \\\"%s\\\"\", \"weight\": %d.%d, \"active\": %s, \"parent\": %s,\n",
			i * 7, capital(vocabulary[1 + rnd(300)]), vocabulary[1 + rnd(300)], rnd(90), rnd(1000),
			rnd(2) ? "true" : "false", rnd(4) ? 7 * (1 + rnd(230)) : "null"
		printf "   \"tags\": ["
		for (k = rnd(5); k > 0; k--)
			printf "\"%s\"%s", vocabulary[1 + rnd(80)], (k > 1 ? ", " : "")
		printf "], \"at\": {\"row\": %d, \"shelf\": \"%s\\t%c\", \"size\": [%d, %d, -%d.5e1]}}%s\n",
			rnd(40), vocabulary[1 + rnd(20)], 65 + rnd(26), rnd(30), rnd(30), rnd(30), i < 230 ? "," : ""
	}
	print "]"
}

function settings(   i, k) {
	for (i = 1; i <= 90; i++) {
		printf "%s[%s.%s]\n", (i > 1 ? "\n" : ""), vocabulary[1 + rnd(30)], vocabulary[1 + i]
		for (k = 2 + rnd(8); k > 0; k--) {
			if (rnd(6) == 0)
				printf "; %s %s %s\n", vocabulary[1 + rnd(500)], vocabulary[1 + rnd(500)], vocabulary[1 + rnd(500)]
			if (rnd(3))
				printf "  %s_%d = %d%s\n", vocabulary[1 + rnd(200)], k, rnd(5000), rnd(2) ? "" : "k"
			else
				printf "  %s_%d = \"%s ${%s}\"\n", vocabulary[1 + rnd(200)], k, word(), vocabulary[1 + rnd(200)]
		}
	}
}

function trace(   i, depth) {
	for (i = 1; i <= 2600; i++) {
		if (depth > 0 && rnd(9) < 4)
			printf "%08x%-12.12s%6d leave\n", i * 37, function_at[depth--], rnd(9000)
		else if (depth < 30) {
			function_at[++depth] = vocabulary[1 + rnd(45)]
			printf "%08x%-12.12s%6d enter\n", i * 37, function_at[depth], rnd(9000)
		}
	}
}

BEGIN {
	n_onset = split("b br c ch d dr f g gl h j k l m n p pr qu r s sh st t tr v w z", onset, " ")
	n_vowel = split("a e i o u ai ea ou io", vowel, " ")
	n_coda = split("n r s t l nd st ng m ck", coda, " ")
	seed = 20210
	for (i = 1; i <= 900; i++)
		vocabulary[i] = word()
	for (i = 1; i <= 150; i++)
		name[i] = capital(word())
	if (what == "orders") orders()
	else if (what == "access") access()
	else if (what == "prose") prose()
	else if (what == "inventory") inventory()
	else if (what == "settings") settings()
	else if (what == "trace") trace()
	else {
		print "generate.awk: -v what= must be orders, access, prose, inventory, settings or trace" >"/dev/stderr"
		exit 2
	}
}
