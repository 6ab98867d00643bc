-- Branching and calling: state machines on strings, tables of functions, upvalues, nested loops, multiple results.
local seed = 7
local function rnd(n)
	seed = (seed * 16807) % 2147483647
	return seed % n + 1
end

-- a turtle that follows commands given as strings
local names = { "left", "right", "forward", "back", "pen", "mark", "repeat", "stop" }
local commands = {}
for i = 1, 3000 do commands[i] = { name = names[rnd(7)], amount = rnd(9) } end
commands[#commands + 1] = { name = "stop", amount = 0 }
local function follow(list)
	local x, y, heading, drawing, marks, pc, budget = 0, 0, 0, true, {}, 1, 12000
	while true do
		local c = list[pc]
		pc = pc + 1
		budget = budget - 1
		if c.name == "left" then
			heading = (heading + c.amount) % 4
		elseif c.name == "right" then
			heading = (heading - c.amount) % 4
		elseif c.name == "forward" or c.name == "back" then
			local step = c.name == "back" and -c.amount or c.amount
			if heading == 0 then x = x + step
			elseif heading == 1 then y = y + step
			elseif heading == 2 then x = x - step
			else y = y - step end
		elseif c.name == "pen" then
			drawing = not drawing
		elseif c.name == "mark" then
			if drawing then marks[x] = (marks[x] or 0) + y end
		elseif c.name == "repeat" then
			if budget > 0 and budget % 3 ~= 0 then pc = math.max(1, pc - c.amount) end
		else
			break
		end
		if x > 50 then x = x - 100 elseif x < -50 then x = x + 100 end
	end
	return x, y, heading, marks
end
local x, y, heading, marks
for _ = 1, 4 do x, y, heading, marks = follow(commands) end
local marked = 0
for k = -50, 50 do marked = marked + (marks[k] or 0) end
print(x, y, heading, marked)

-- expressions compiled to closures that share a frame
local function constant(n) return function() return n end end
local function slot(name) return function(frame) return frame[name] end end
local function binary(op, a, b)
	if op == "+" then return function(f) return a(f) + b(f) end
	elseif op == "-" then return function(f) return a(f) - b(f) end
	elseif op == "*" then return function(f) return a(f) * b(f) end
	else return function(f) return a(f) // (1 + b(f) % 10) end end
end
local function assign(name, e) return function(f) f[name] = e(f) % 10007 end end
local function sequence(list) return function(f) for i = 1, #list do list[i](f) end end end
local function loop(n, body) return function(f) for i = 1, n do f.i = i body(f) end end end
local i, a, b = slot "i", slot "a", slot "b"
local code = loop(2500, sequence {
	assign("a", binary("+", binary("*", a, constant(3)), i)),
	assign("b", binary("-", binary("/", a, i), binary("*", b, constant(7)))),
	assign("c", binary("+", binary("*", slot "c", b), binary("-", a, b))),
})
local frame = { a = 1, b = 2, c = 3 }
for _ = 1, 3 do code(frame) end
print(frame.a, frame.b, frame.c)

-- a grid with neighbours: nested loops, integer keys, boolean logic
local size <const> = 40
local height = {}
for r = 1, size do
	height[r] = {}
	for c = 1, size do height[r][c] = rnd(100) end
end
local function low_points(limit)
	local count, risk = 0, 0
	for r = 1, size do
		local above, here, below = height[r - 1], height[r], height[r + 1]
		for c = 1, size do
			local h = here[c]
			if h < limit and (not above or above[c] > h) and (not below or below[c] > h)
				and (c == 1 or here[c - 1] > h) and (c == size or here[c + 1] > h) then
				count, risk = count + 1, risk + h + 1
			end
		end
	end
	return count, risk
end
local best, worst = 0, 0
for limit = 5, 100, 5 do
	local n, risk = low_points(limit)
	best, worst = best ~ n, worst + risk
end
local function flood(r, c, seen)
	local key = r * size + c
	if r < 1 or r > size or c < 1 or c > size or seen[key] or height[r][c] > 66 then return 0 end
	seen[key] = true
	return 1 + flood(r + 1, c, seen) + flood(r - 1, c, seen) + flood(r, c + 1, seen) + flood(r, c - 1, seen)
end
local seen, basins, largest = {}, 0, 0
for r = 1, size do
	for c = 1, size do
		local n = flood(r, c, seen)
		if n > 0 then basins, largest = basins + 1, math.max(largest, n) end
	end
end
print(best, worst, basins, largest)
