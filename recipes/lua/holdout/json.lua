-- JSON: builds a document, encodes it, decodes it again with a closure-based reader, compares.
local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }
local function encode(v, out)
	local t = type(v)
	if t == "table" then
		if #v > 0 or v.empty_list then
			out[#out + 1] = "["
			for i, x in ipairs(v) do
				if i > 1 then out[#out + 1] = "," end
				encode(x, out)
			end
			out[#out + 1] = "]"
		else
			local keys = {}
			for k in pairs(v) do keys[#keys + 1] = k end
			table.sort(keys)
			out[#out + 1] = "{"
			for i, k in ipairs(keys) do
				out[#out + 1] = (i > 1 and ',"' or '"') .. k .. '":'
				encode(v[k], out)
			end
			out[#out + 1] = "}"
		end
	elseif t == "string" then
		out[#out + 1] = '"' .. v:gsub('["\\\n\t]', escapes) .. '"'
	else
		out[#out + 1] = tostring(v)
	end
	return out
end

local function decode(text)
	local at = 1
	local value
	local function space() at = text:find("[^ \n\t]", at) or #text + 1 end
	local function fail(why) error(why .. " at " .. at) end
	local function string_()
		local parts = {}
		at = at + 1
		while true do
			local stop = text:find('["\\]', at) or fail("open string")
			parts[#parts + 1] = text:sub(at, stop - 1)
			at = stop + 1
			if text:byte(stop) == 34 then return table.concat(parts) end
			local c = text:sub(at, at)
			parts[#parts + 1] = c == "n" and "\n" or c == "t" and "\t" or c
			at = at + 1
		end
	end
	local readers = {
		["{"] = function()
			local t = {}
			at = at + 1
			while text:sub(at, at) ~= "}" do
				local k = string_()
				at = at + 1
				t[k] = value()
				if text:sub(at, at) == "," then at = at + 1 end
			end
			at = at + 1
			return t
		end,
		["["] = function()
			local t = {}
			at = at + 1
			while text:sub(at, at) ~= "]" do
				t[#t + 1] = value()
				if text:sub(at, at) == "," then at = at + 1 end
			end
			at = at + 1
			return t
		end,
		['"'] = string_,
		t = function() at = at + 4 return true end,
		f = function() at = at + 5 return false end,
	}
	function value()
		space()
		local reader = readers[text:sub(at, at)]
		if reader then return reader() end
		local number = text:match("^-?[%d.e+-]+", at) or fail("no value")
		at = at + #number
		return tonumber(number)
	end
	return value()
end

local document = { items = {}, title = 'A "quoted"\ttitle\n', version = 3 }
for i = 1, 700 do
	document.items[i] = {
		id = i, label = ("item %03d \\ %s"):format(i, ("xyz"):rep(i % 4)), price = i / 4, active = i % 3 == 0,
		tags = { "t" .. i % 7, "u" .. i % 11, "v" }, at = { row = i % 40, column = -i, deep = { { { i } } } },
	}
end
local first = table.concat(encode(document, {}))
local again = first
for _ = 1, 6 do again = table.concat(encode(decode(again), {})) end
print(#first, first == again, first:sub(1, 120))
