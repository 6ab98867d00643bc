-- Integers and floats: sieve, matrices, n-body, Mandelbrot, bit operations, recursion.
local function sieve(limit)
	local composite, n = {}, 0
	for i = 2, limit do
		if not composite[i] then
			n = n + 1
			for k = i * i, limit, i do composite[k] = true end
		end
	end
	return n
end

local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local function ackermann(m, n)
	if m == 0 then return n + 1 end
	if n == 0 then return ackermann(m - 1, 1) end
	return ackermann(m - 1, ackermann(m, n - 1))
end

local function matrix(n)
	local a, b, c = {}, {}, {}
	for i = 1, n do
		a[i], b[i] = {}, {}
		for j = 1, n do
			a[i][j] = (i - j) / n
			b[i][j] = i * j % 7
		end
	end
	for i = 1, n do
		local row, ai = {}, a[i]
		for j = 1, n do
			local s = 0.0
			for k = 1, n do s = s + ai[k] * b[k][j] end
			row[j] = s
		end
		c[i] = row
	end
	return c[1][n] + c[n][1] + c[n // 2][n // 2]
end

local function bodies(steps)
	local all = {
		{ x = 0, y = 0, z = 0, vx = 0, vy = 0, vz = 0, m = 39.5 },
		{ x = 4.8, y = -1.2, z = -0.1, vx = 0.6, vy = 2.8, vz = 0, m = 0.04 },
		{ x = 8.3, y = 4.1, z = -0.4, vx = -1.0, vy = 1.8, vz = 0, m = 0.01 },
		{ x = 12.9, y = -15.1, z = -0.2, vx = 1.1, vy = 0.9, vz = 0, m = 0.002 },
	}
	for _ = 1, steps do
		for i = 1, #all do
			local p = all[i]
			for j = i + 1, #all do
				local q = all[j]
				local dx, dy, dz = p.x - q.x, p.y - q.y, p.z - q.z
				local d = dx * dx + dy * dy + dz * dz
				local f = 0.001 / (d * math.sqrt(d))
				p.vx, p.vy, p.vz = p.vx - dx * q.m * f, p.vy - dy * q.m * f, p.vz - dz * q.m * f
				q.vx, q.vy, q.vz = q.vx + dx * p.m * f, q.vy + dy * p.m * f, q.vz + dz * p.m * f
			end
		end
		for _, p in ipairs(all) do p.x, p.y, p.z = p.x + 0.001 * p.vx, p.y + 0.001 * p.vy, p.z + 0.001 * p.vz end
	end
	return all[2].x
end

local function mandelbrot(size)
	local inside = 0
	for row = 0, size - 1 do
		local ci = 2.0 * row / size - 1.0
		for column = 0, size - 1 do
			local cr, zr, zi, n = 3.0 * column / size - 2.0, 0.0, 0.0, 0
			repeat
				zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
				n = n + 1
			until n == 40 or zr * zr + zi * zi > 4.0
			if n == 40 then inside = inside + 1 end
		end
	end
	return inside
end

local function mix(n)
	local x, y = 0x9E3779B97F4A7C15, 88172645463325252
	for i = 1, n do
		y = y ~ (y << 13)
		y = y ~ (y >> 7)
		y = y ~ (y << 17)
		x = (x * 31 + (y & 0xff)) | (i % 3 == 0 and 1 or 2)
		if math.ult(x, y) then x = ~x end
	end
	return x
end

local size <const> = tonumber(arg[1]) or 1
print(sieve(30000 * size), fib(19 + size), ackermann(2, 40 * size))
print(("%.6f %.6f %d %x"):format(matrix(34 * size), bodies(1200 * size), mandelbrot(48 * size), mix(30000 * size)))
local s = 0.0
for i = 1, 9000 do
	s = s + math.floor(i / 3) * math.max(i % 5, 2) - math.abs(50 - i) + math.fmod(i, 7) + tonumber(i .. ".5")
	if math.tointeger(s // 1) and i % 2 == 0 then s = s - i end
end
for x = 10.0, 1.0, -0.25 do s = s + x end
print(s, math.maxinteger // 3, string.format("%g", 1e15 / 7))
