-- Checks the tables that recipes hand to the library: every unknown field, wrong type and missing
-- field is an error that points at the recipe's own line.
local check = {}

-- The kinds a field may have: a description for errors, and a test.
local kinds = {
  text = { "text", function(v) return type(v) == "string" end },
  number = { "a whole number, 0 or more", function(v) return math.type(v) == "integer" and v >= 0 end },
  boolean = { "true or false", function(v) return type(v) == "boolean" end },
  table = { "a table { … }", function(v) return type(v) == "table" end },
  any = { "a value", function() return true end },
  texts = { "a list of texts", function(v)
    if type(v) ~= "table" then return false end
    for key, item in pairs(v) do
      if type(key) ~= "number" or (type(item) ~= "string" and math.type(item) ~= "integer") then
        return false
      end
    end
    return true
  end },
  numbers = { "a list of whole numbers", function(v)
    if type(v) ~= "table" then return false end
    for key, item in pairs(v) do
      if type(key) ~= "number" or math.type(item) ~= "integer" then return false end
    end
    return true
  end },
  counts = { "a table of numbers by name, each 1 or more", function(v)
    if type(v) ~= "table" then return false end
    for key, item in pairs(v) do
      if type(key) ~= "string" or math.type(item) ~= "integer" or item < 1 then return false end
    end
    return true
  end },
  map = { "a table of texts by name", function(v)
    if type(v) ~= "table" then return false end
    for key, item in pairs(v) do
      if type(key) ~= "string" or (type(item) ~= "string" and math.type(item) ~= "integer") then
        return false
      end
    end
    return true
  end },
}

-- How objects of the library are written, for errors.
local objects = {
  source = 'a source: checkout { }, folder "…", debian.source { … } or https { … }',
  build = "a builder: make, autotools, cmake, meson or cargo.build { … }",
  fdo = "fdo { … }",
  https = "https { … }",
  file = 'file "PATH"',
  ready = "tcp(PORT) or tcp(PORT, SECONDS)",
  run = "run { … }",
}

-- What a value is, for errors.
function check.describe(value)
  if type(value) == "string" then return '"' .. value .. '"' end
  if type(value) == "table" and value.type then return "a " .. tostring(value.type) end
  if type(value) == "table" then return "a table" end
  return tostring(value)
end

local function names_of(spec)
  local names = {}
  for name in pairs(spec) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  return names
end

-- "did you mean …" for a word among names; where none is near `otherwise`, or all of them.
function check.hint(word, names, otherwise)
  local near = kiln.nearest(word, names)
  if near then return 'did you mean "' .. near .. '"?' end
  local all = check.join(names)
  table.sort(all)
  return otherwise or "one of: " .. table.concat(all, ", ")
end

-- "make check", where a list is expected: { "make", "check" }.
local function as_list(text)
  local words = {}
  for word in text:gmatch("%S+") do words[#words + 1] = check.describe(word) end
  return "{ " .. table.concat(words, ", ") .. " }"
end

local function field_fault(what, where, key, value, expected, is_list)
  local note = is_list and type(value) == "string" and "as in " .. key .. " = " .. as_list(value) or nil
  kiln.fail {
    where = where, callee = what:match("[%w_]+$"), path = { key }, note = note,
    text = what .. ": " .. key .. ": expected " .. expected .. ", got " .. check.describe(value),
  }
end

-- A list must have the keys 1 … n: behind a hole (a nil, often a misspelt name) ipairs and # see
-- nothing, and the rest would be lost without a word. `named`: names may stand beside the positions.
function check.list(what, where, path, list, named, noun)
  local n = 0
  local function fault(key, text, note)
    kiln.fail { where = where, callee = what:match("[%w_]+$"), path = check.join(path, { tostring(key) }),
      text = table.concat(check.join({ what }, path), ": ") .. ": " .. text, note = note }
  end
  for key in pairs(list) do
    if type(key) == "number" then
      n = n + 1
    elseif not named then
      fault(key, "expected a list, got the name " .. check.describe(key))
    end
  end
  for i = 1, n do
    if list[i] == nil then
      fault(i, (noun or "entry") .. " " .. i .. " is nil", "is a name misspelt? What follows would be lost")
    end
  end
end

-- Checks `args` of `what { … }` against `spec`: name = { kind [, required = true] }, where kind is a
-- name of the table above, or of an object's type: "run", "leaf", several as "build|function".
-- `list = true` makes a table a list, `named = true` one with names as well. `positions` allows
-- entries without names, and says what they are called. Returns the place of the call.
function check.fields(what, args, spec, positions)
  local where = kiln.where()
  local callee = what:match("[%w_]+$")
  if type(args) ~= "table" then
    local example = type(args) == "string" and positions and " { " .. check.describe(args) .. " }" or " { … }"
    kiln.fail { where = where, text = what .. ": expected a table, as in " .. what .. example }
  end
  for key, value in pairs(args) do
    if type(key) ~= "string" then
      if not positions then
        kiln.fail { where = where, callee = callee, path = { tostring(key) },
          text = what .. ": a value without a field's name (" .. check.describe(value) .. ")" }
      end
    elseif not spec[key] then
      kiln.fail { where = where, callee = callee, path = { key }, key = true,
        text = what .. ': unknown field "' .. key .. '"', note = check.hint(key, names_of(spec)) }
    else
      local fits, described = false, {}
      for kind in spec[key][1]:gmatch("[^|]+") do
        local known = rawget(kinds, kind)
        described[#described + 1] = known and known[1] or objects[kind] or kind
        if known then
          fits = fits or known[2](value)
        else
          fits = fits or type(value) == kind or (type(value) == "table" and value.type == kind)
        end
      end
      local kind = spec[key][1]
      local is_list = spec[key].list or kind:match("texts") or kind:match("numbers")
      if not fits then
        field_fault(what, where, key, value, table.concat(described, " or "), is_list)
      end
      if type(value) == "table" and is_list then
        check.list(what, where, { key }, value, spec[key].named)
      end
    end
  end
  if positions then check.list(what, where, {}, args, true, positions) end
  for name, field in pairs(spec) do
    if field.required and args[name] == nil then
      kiln.fail { where = where, callee = callee, path = {},
        text = what .. ': the field "' .. name .. '" is missing',
        note = field.doc }
    end
  end
  return where
end

-- Joins lists; nil counts as empty.
function check.join(...)
  local all = {}
  for i = 1, select("#", ...) do
    for _, item in ipairs((select(i, ...)) or {}) do all[#all + 1] = item end
  end
  return all
end

return check
