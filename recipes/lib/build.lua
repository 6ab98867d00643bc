-- What builders have in common. A builder is a table { type = "build", bins, setup, compile }:
--   bins                       names of the programs it makes
--   setup(ctx)                 declares what all variants of a target share; returns anything
--   compile(ctx, shared, how)  declares one variant's build: how = { kind, address, cflags, ldflags,
--                              profile }; returns the programs by name
-- A recipe may bring its own.
local check = require "kiln.check"

local build = {}

-- make with as many jobs as the machine gives this stage. The number is no part of the command.
build.make = { "/bin/sh", "-ec", 'exec make -j"${KILN_JOBS:-1}" "$@"', "make" }

-- "src/gawk" is the program gawk.
function build.bins(what, where, paths)
  local names, places = {}, {}
  for i, path in ipairs(paths) do
    local name = path:match("[^/]+$")
    if not name or places[name] then
      kiln.fail { where = where, callee = "build", path = { "bins", tostring(i) },
        text = what .. ': bins: "' .. path .. '" ' .. (name and "is there twice" or "is no path") }
    end
    names[#names + 1] = name
    places[name] = path
  end
  if #names == 0 then
    kiln.fail { where = where, callee = "build", path = { "bins" },
      text = what .. ": bins: name at least one program" }
  end
  return names, places
end

-- A list, or a function of the target that gives one.
function build.list(value, ctx, how)
  if type(value) == "function" then value = value(ctx.target, how) end
  if type(value) == "table" then check.list("build", ctx.where, {}, value) end
  return check.join(value)
end

-- Declares a compiling stage over `src` and returns the programs.
function build.compile(ctx, how, source, argv, names, places, env)
  local outputs = {}
  for _, name in ipairs(names) do
    outputs[#outputs + 1] = { path = "src/" .. places[name], non_empty = true }
  end
  local made = stage[how.kind] {
    address = how.address, where = ctx.where, argv = argv, outputs = outputs, env = env,
    inputs = { { at = "src", from = source } }, profile = how.profile,
  }
  local bins = {}
  for _, name in ipairs(names) do bins[name] = made:at("src/" .. places[name]) end
  return bins
end

return build
