-- Writes the synthetic text that the training reads: lua generate.lua >train/notes.txt
local seed = 1909
local function rnd(n)
	seed = (seed * 16807) % 2147483647
	return seed % n + 1
end

local syllables = {
	"ba", "be", "bri", "co", "cu", "da", "dre", "du", "fa", "fi", "ga", "glo", "he", "ja", "ki", "la", "lo",
	"mi", "mu", "na", "nea", "po", "pra", "qui", "ra", "ri", "sa", "se", "sto", "ta", "tre", "tu", "va", "vi", "wo", "zou",
}
local vocabulary = {}
for i = 1, 600 do
	local parts = {}
	for k = 1, rnd(3) + (i > 60 and 1 or 0) do parts[k] = syllables[rnd(#syllables)] end
	vocabulary[i] = table.concat(parts)
end
local function word() return vocabulary[rnd(rnd(600))] end

for i = 1, 500 do
	local line = { ("%04d-%02d-%02d"):format(2000 + rnd(20), rnd(12), rnd(28)) }
	for k = 1, 5 + rnd(9) do
		local w = word()
		local kind = rnd(14)
		if kind == 1 then w = "(" .. w .. " " .. word() .. ")"
		elseif kind == 2 then w = w .. ","
		elseif kind == 3 then w = w:gsub("^%l", string.upper)
		elseif kind == 4 then w = w .. " " .. rnd(9999) end
		line[k + 1] = w
	end
	print(table.concat(line, " ") .. (i % 7 == 0 and "\n" or ""))
end
