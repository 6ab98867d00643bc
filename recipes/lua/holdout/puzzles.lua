-- Search, dynamic programming, hashing and compression written as ordinary Lua.
local function queens(n)
	local columns, up, down, found = {}, {}, {}, 0
	local function place(row)
		if row > n then
			found = found + 1
			return
		end
		for c = 1, n do
			if not (columns[c] or up[row + c] or down[row - c + n]) then
				columns[c], up[row + c], down[row - c + n] = true, true, true
				place(row + 1)
				columns[c], up[row + c], down[row - c + n] = nil, nil, nil
			end
		end
	end
	place(1)
	return found
end

local function distance(a, b)
	local previous = {}
	for j = 0, #b do previous[j] = j end
	for i = 1, #a do
		local current = { [0] = i }
		for j = 1, #b do
			local cost = a:byte(i) == b:byte(j) and 0 or 1
			current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
		end
		previous = current
	end
	return previous[#b]
end

local function adler(s)
	local a, b = 1, 0
	for _, c in ipairs({ s:byte(1, -1) }) do
		a = (a + c) % 65521
		b = (b + a) % 65521
	end
	return b << 16 | a
end

local function lzw(s)
	local codes, n, w, out = {}, 256, "", {}
	for i = 0, 255 do codes[string.char(i)] = i end
	for c in s:gmatch(".") do
		if codes[w .. c] then
			w = w .. c
		else
			out[#out + 1] = codes[w]
			codes[w .. c] = n
			n = n + 1
			w = c
		end
	end
	out[#out + 1] = codes[w]
	return out
end

local function unlzw(list)
	local strings, n = {}, 256
	for i = 0, 255 do strings[i] = string.char(i) end
	local w = strings[list[1]]
	local out = { w }
	for i = 2, #list do
		local entry = strings[list[i]] or w .. w:sub(1, 1)
		out[#out + 1] = entry
		strings[n] = w .. entry:sub(1, 1)
		n = n + 1
		w = entry
	end
	return table.concat(out)
end

local function life(generations)
	local size, grid = 48, {}
	for y = 1, size do
		grid[y] = {}
		for x = 1, size do grid[y][x] = (x * y + x // 3 + y * 7) % 5 < 2 and 1 or 0 end
	end
	for _ = 1, generations do
		local nextgrid = {}
		for y = 1, size do
			local above, here, below, row = grid[(y - 2) % size + 1], grid[y], grid[y % size + 1], {}
			for x = 1, size do
				local l, r = (x - 2) % size + 1, x % size + 1
				local n = above[l] + above[x] + above[r] + here[l] + here[r] + below[l] + below[x] + below[r]
				row[x] = (n == 3 or n == 2 and here[x] == 1) and 1 or 0
			end
			nextgrid[y] = row
		end
		grid = nextgrid
	end
	local alive = 0
	for _, row in ipairs(grid) do for _, x in ipairs(row) do alive = alive + x end end
	return alive
end

local text = {}
for i = 1, 2500 do text[i] = ("%d bottles, %s; "):format(i % 90, ("la"):rep(i % 5)) end
text = table.concat(text)
local packed = lzw(text)
print(queens(8), life(120))
print(#text, #packed, unlzw(packed) == text, adler(text:sub(1, 20000)))
local words = { "interpreter", "interpolation", "optimiser", "profile", "prophet", "kitten", "sitting", "saturday" }
local total = 0
for i = 1, #words do for j = 1, #words do total = total + distance(words[i], words[j]) * (i + j) end end
local memo = {}
local function paths(r, c)
	if r == 0 or c == 0 then return 1 end
	local key = r .. ":" .. c
	memo[key] = memo[key] or (paths(r - 1, c) + paths(r, c - 1)) % 1000007
	return memo[key]
end
print(total, paths(150, 150))
