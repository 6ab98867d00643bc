-- Tables as arrays: sorting in four ways, heaps, binary search, table.* functions.
local seed = 42
local function rnd(n)
	seed = (seed * 16807) % 2147483647
	return seed % n
end

local function quicksort(a, lo, hi)
	while lo < hi do
		local pivot, i, j = a[(lo + hi) // 2], lo, hi
		repeat
			while a[i] < pivot do i = i + 1 end
			while pivot < a[j] do j = j - 1 end
			if i <= j then
				a[i], a[j] = a[j], a[i]
				i, j = i + 1, j - 1
			end
		until i > j
		quicksort(a, lo, j)
		lo = i
	end
end

local function mergesort(a)
	if #a < 2 then return a end
	local mid = #a // 2
	local left = mergesort(table.move(a, 1, mid, 1, {}))
	local right = mergesort(table.move(a, mid + 1, #a, 1, {}))
	local out, i, j = {}, 1, 1
	while i <= #left and j <= #right do
		if left[i] <= right[j] then
			out[#out + 1] = left[i]
			i = i + 1
		else
			out[#out + 1] = right[j]
			j = j + 1
		end
	end
	for k = i, #left do out[#out + 1] = left[k] end
	for k = j, #right do out[#out + 1] = right[k] end
	return out
end

local Heap = {}
Heap.__index = Heap
function Heap.new() return setmetatable({ n = 0 }, Heap) end
function Heap:push(x)
	self.n = self.n + 1
	local i = self.n
	while i > 1 and x < self[i // 2] do
		self[i] = self[i // 2]
		i = i // 2
	end
	self[i] = x
end
function Heap:pop()
	local top, last = self[1], self[self.n]
	self[self.n] = nil
	self.n = self.n - 1
	local i = 1
	while 2 * i <= self.n do
		local c = 2 * i
		if c < self.n and self[c + 1] < self[c] then c = c + 1 end
		if last <= self[c] then break end
		self[i] = self[c]
		i = c
	end
	if self.n > 0 then self[i] = last end
	return top
end

local function find(a, x)
	local lo, hi = 1, #a
	while lo <= hi do
		local mid = (lo + hi) // 2
		if a[mid] == x then return mid end
		if a[mid] < x then lo = mid + 1 else hi = mid - 1 end
	end
end

local size <const> = tonumber(arg[1]) or 6000
local numbers, strings, records = {}, {}, {}
for i = 1, size do
	numbers[i] = rnd(1000000)
	strings[i] = string.format("%06x", rnd(1 << 24))
	records[i] = { key = rnd(500), order = i, weight = rnd(1000) / 8 }
end

local a = table.move(numbers, 1, size, 1, {})
quicksort(a, 1, size)
local b = mergesort(numbers)
local c = table.pack(table.unpack(numbers, 1, 200))
table.sort(c, function(x, y) return x > y end)
local heap = Heap.new()
for _, x in ipairs(numbers) do heap:push(x) end
local equal = true
for i = 1, size do
	equal = equal and a[i] == b[i] and heap:pop() == a[i]
end
table.sort(strings)
table.sort(records, function(x, y)
	if x.key ~= y.key then return x.key < y.key end
	return x.order < y.order
end)
local found, weight = 0, 0.0
for i = 1, size, 3 do
	found = found + (find(a, numbers[i]) and 1 or 0) + (find(a, i) and 1000 or 0)
	weight = weight + records[i].weight * (i % 5)
end
local queue = {}
for i = 1, 300 do table.insert(queue, 1 + rnd(#queue + 1), i) end
local out = {}
while #queue > 0 do out[#out + 1] = table.remove(queue, 1 + rnd(#queue)) end
print(equal, c[1], strings[1], strings[size], records[size // 2].order, found, weight)
print(table.concat(out, " ", 1, 40))
