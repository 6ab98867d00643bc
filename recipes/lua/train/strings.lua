-- Strings: patterns, substitution, formatting, packing, building; arg[1] names a text file.
local path = arg[1]
local words, order, lines, bytes = {}, {}, 0, 0
for line in io.lines(path) do
	lines = lines + 1
	bytes = bytes + #line
	for w in line:gmatch("%a+") do
		w = w:lower()
		if not words[w] then order[#order + 1] = w end
		words[w] = (words[w] or 0) + 1
	end
end
table.sort(order, function(x, y)
	if words[x] ~= words[y] then return words[x] > words[y] end
	return x < y
end)
for i = 1, 5 do print(("%-12s %5d %6.2f%%"):format(order[i], words[order[i]], 100 * words[order[i]] / #order)) end

local file <close> = assert(io.open(path, "rb"))
local text = file:read("a")
local count = select(2, text:gsub("[aeiou]+", { a = "A", ea = "EA", ou = false }))
local swapped, pairs_swapped = text:gsub("(%w+)%s(%w+)", "%2 %1")
local dated = 0
for year, month, day in text:gmatch("(%d%d%d%d)-(%d%d)-(%d%d)") do dated = dated + year * 12 + month + day end
local spans = {}
local at = 1
while true do
	local from, to, inner = text:find("%(([^()]*)%)", at)
	if not from then break end
	spans[#spans + 1] = inner:reverse():upper():rep(2, "/")
	at = to + 1
end
print(lines, bytes, #text, count, pairs_swapped, #swapped, dated, #spans, spans[#spans])

local function trim(s) return s:match("^%s*(.-)%s*$") end
local function split(s, separator)
	local out, from = {}, 1
	while true do
		local a, b = s:find(separator, from, true)
		out[#out + 1] = s:sub(from, a and a - 1)
		if not a then return out end
		from = b + 1
	end
end
local fields, filled = 0, 0
for line in text:gmatch("[^\n]+") do
	for _, field in ipairs(split(line, ", ")) do
		fields = fields + 1
		if #trim(field) > 8 then filled = filled + 1 end
	end
end

local hash = 5381
for i = 1, #text do hash = (hash * 33 ~ text:byte(i)) & 0xffffffff end
local built = ""
for i = 1, 5000 do
	built = built .. string.char(97 + i % 26)
	if #built > 200 then built = built:sub(100) end
end
local packed = {}
for i = 1, 5000 do
	packed[i] = string.pack("<I4i2z", i * 7919, i - 700, ("%x"):format(i))
end
local total = 0
for i = 1, #packed do
	local big, small, hex = string.unpack("<I4i2z", packed[i])
	total = total + big + small + tonumber(hex, 16)
end
local wide = 0
for _, code in utf8.codes(("größe žluťoučký π → "):rep(60)) do wide = wide + code end
print(fields, filled, ("%08x"):format(hash), built:sub(-12), total, wide, ("%q"):format('a "quoted"\nline'))
