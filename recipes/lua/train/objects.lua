-- Metatables, closures, inheritance, varargs, coroutines, errors, weak tables, garbage.
local Shape = {}
Shape.__index = Shape
function Shape.new(class, ...)
	local self = setmetatable({}, class)
	self:init(...)
	return self
end
function Shape:init() self.name = "shape" end
function Shape:scaled(k) return self:area() * k * k end

local function subclass(parent)
	local class = setmetatable({}, { __index = parent, __call = function(c, ...) return c:new(...) end })
	class.__index = class
	class.__lt = function(a, b) return a:area() < b:area() end
	class.__tostring = function(s) return s.name .. ":" .. math.floor(s:area()) end
	return class
end
local Square, Ring = subclass(Shape), subclass(Shape)
function Square:init(side) self.name, self.side = "square", side end
function Square:area() return self.side * self.side end
function Ring:init(inner, outer) self.name, self.inner, self.outer = "ring", inner, outer end
function Ring:area() return math.pi * (self.outer ^ 2 - self.inner ^ 2) end

local shapes = {}
for i = 1, 3000 do
	shapes[i] = i % 3 == 0 and Ring(i % 17, 20 + i % 5) or Square(i % 40)
end
local total = 0
for round = 1, 16 do
	for i = 1, #shapes do total = total + shapes[i]:scaled(round) // 1 end
end
local largest = shapes[1]
for i = 2, #shapes do
	if getmetatable(largest) == getmetatable(shapes[i]) and largest < shapes[i] then largest = shapes[i] end
end
print(total, tostring(largest))

local Vector = {}
Vector.__index = Vector
local function vector(x, y) return setmetatable({ x = x, y = y }, Vector) end
function Vector.__add(a, b) return vector(a.x + b.x, a.y + b.y) end
function Vector.__mul(a, k) return vector(a.x * k, a.y * k) end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vector.__len(a) return a.x * a.x + a.y * a.y end
function Vector.__concat(a, b) return tostring(a) .. tostring(b) end
function Vector.__tostring(a) return "(" .. a.x .. "," .. a.y .. ")" end
local v = vector(1, 2)
for i = 1, 30000 do
	v = v + vector(i % 7, i % 11) * 2
	if #v > 1000000 then v = vector(0, i) end
end
print(v .. vector(1, 1), v == v + vector(0, 0))

local function counter(step)
	local n = 0
	return function(...)
		for i = 1, select("#", ...) do n = n + (select(i, ...)) * step end
		return n
	end
end
local counters = {}
for i = 1, 20 do counters[i] = counter(i) end
for i = 1, 15000 do counters[i % 20 + 1](i, 1, i % 3) end
local function map(list, f) local out = {} for i, x in ipairs(list) do out[i] = f(x) end return out end
local function reduce(list, f, x) for _, y in ipairs(list) do x = f(x, y) end return x end
print(reduce(map(counters, function(c) return c() end), function(a, b) return a ~ b end, 0))

local function tree(depth) return depth == 0 and {} or { tree(depth - 1), depth, tree(depth - 1) } end
local function walk(t) if t[1] then walk(t[1]) coroutine.yield(t[2]) walk(t[3]) end end
local visited = 0
for x in coroutine.wrap(function() walk(tree(12)) end) do visited = visited + x end
local function producer(n) return coroutine.create(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for k = 1, 300 do
	local co = producer(k % 20)
	while true do
		local ok, x = coroutine.resume(co)
		if not ok or not x then break end
		sum = sum + x
	end
end
local failures = 0
for i = 1, 2500 do
	local ok, why = pcall(function(n)
		if n % 3 == 0 then error({ code = n }) elseif n % 5 == 0 then error("five", 0) end
		return n
	end, i)
	if not ok then failures = failures + (type(why) == "table" and why.code % 7 or #why) end
end
local cache = setmetatable({}, { __mode = "k" })
for i = 1, 4000 do cache[{ i }] = i end
collectgarbage()
local left = 0
for _ in pairs(cache) do left = left + 1 end
local log = {}
local proxy = setmetatable({}, {
	__index = function(_, k) log[#log + 1] = k return k .. "!" end,
	__newindex = function(t, k, x) rawset(t, k, x * 2) end,
})
for i = 1, 900 do proxy["p" .. i % 50] = i end
for i = 1, 900 do failures = failures + #tostring(proxy["q" .. i % 30]) end
print(visited, sum, failures, left, #log, rawlen(log), rawget(proxy, "p7"))
do
	local n = 0
	::again::
	n = n + 1
	if n < 2000 then goto again end
	print(n, type(next(counters)), math.type(3), math.type(3.0), 7 // 2, -7 % 3, 2 ^ 10, 1 << 40)
end
