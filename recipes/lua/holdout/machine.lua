-- Interpreters in the interpreter: a tape machine compiled to closures, and a stack machine's bytecode loop.
local function compile(source)
	local at = 1
	local function block()
		local code = {}
		while at <= #source do
			local c = source:sub(at, at)
			at = at + 1
			if c == "+" or c == "-" then
				local n = c == "+" and 1 or -1
				code[#code + 1] = function(m) m[m.p] = ((m[m.p] or 0) + n) % 256 end
			elseif c == ">" or c == "<" then
				local n = c == ">" and 1 or -1
				code[#code + 1] = function(m) m.p = m.p + n end
			elseif c == "." then
				code[#code + 1] = function(m) m.out[#m.out + 1] = string.char(m[m.p] or 0) end
			elseif c == "[" then
				local body = block()
				code[#code + 1] = function(m)
					while (m[m.p] or 0) ~= 0 do
						for i = 1, #body do body[i](m) end
					end
				end
			elseif c == "]" then
				return code
			end
		end
		return code
	end
	return block()
end

local hello = "++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+."
local nested = "++++++++++[>++++++++++[>++++++++++[>++++++++++[>+>+<<-]<-]<-]<-]>>>>.>."
for _, source in ipairs { hello, nested } do
	local machine, code = { p = 0, out = {} }, compile(source)
	for i = 1, #code do code[i](machine) end
	local out = table.concat(machine.out)
	print(#out, machine.p, out:match("%a+"))
end

-- op, argument pairs; numbers are computed on a stack
local program = {
	"push", 0, "set", 1, "push", 1, "set", 2,
	"get", 2, "get", 2, "mul", 0, "push", 7, "mod", 0, "get", 1, "add", 0, "set", 1,
	"get", 2, "push", 1, "add", 0, "set", 2, "get", 2, "push", 150000, "less", 0, "jump", 9,
	"get", 1, "stop", 0,
}
local function execute(p)
	local stack, top, variables, pc, steps = {}, 0, {}, 1, 0
	while true do
		local op, x = p[pc], p[pc + 1]
		pc = pc + 2
		steps = steps + 1
		if op == "push" then
			top = top + 1
			stack[top] = x
		elseif op == "get" then
			top = top + 1
			stack[top] = variables[x]
		elseif op == "set" then
			variables[x] = stack[top]
			top = top - 1
		elseif op == "add" then
			top = top - 1
			stack[top] = stack[top] + stack[top + 1]
		elseif op == "mul" then
			top = top - 1
			stack[top] = stack[top] * stack[top + 1]
		elseif op == "mod" then
			top = top - 1
			stack[top] = stack[top] % stack[top + 1]
		elseif op == "less" then
			top = top - 1
			stack[top] = stack[top] < stack[top + 1]
		elseif op == "jump" then
			if stack[top] then pc = x end
			top = top - 1
		else
			return stack[top], steps
		end
	end
end
print(execute(program))

-- a little scheduler of tasks that pass messages
local tasks, boxes, delivered = {}, {}, 0
local function task(id, partner)
	return coroutine.wrap(function()
		for n = 1, 400 do
			boxes[partner] = (boxes[partner] or 0) + id * n
			while not boxes[id] do coroutine.yield(true) end
			delivered = delivered + boxes[id] % 13
			boxes[id] = nil
			coroutine.yield(true)
		end
		return false
	end)
end
for id = 1, 40 do tasks[id] = task(id, id % 40 + 1) end
local turns = 0
while #tasks > 0 and turns < 60000 do
	for i = #tasks, 1, -1 do
		turns = turns + 1
		if not tasks[i]() then table.remove(tasks, i) end
	end
end
print(delivered, turns, #tasks)
