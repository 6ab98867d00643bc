-- make.build { … }: a plain Makefile, run once per variant over the source. There is nothing that
-- variants share.
local check = require "kiln.check"
local build = require "kiln.build"

local make = {}

-- What most Makefiles listen to.
local function usual_variables(target, how)
  return {
    CC = table.concat(target.cc, " "), AR = target.tools.ar, RANLIB = target.tools.ranlib,
    CFLAGS = how.cflags, LDFLAGS = how.ldflags,
  }
end

-- args: targets and options of make. variables: a table, or a function of target and how (cflags
-- and ldflags as texts) that gives one; it replaces CC, AR, RANLIB, CFLAGS, LDFLAGS.
function make.build(args)
  local where = check.fields("make.build", args, {
    args = { "texts|function" }, variables = { "map|function" }, env = { "map" }, dir = { "text" },
    bins = { "texts", required = true, doc = 'which programs are kept: bins = { "src/tool" }' },
  })
  local names, places = build.bins("make.build", where, args.bins)
  local self = { type = "build", where = where, bins = names }
  local folder = args.dir and "src/" .. args.dir or "src"

  function self.setup(ctx) return ctx.source end

  function self.compile(ctx, source, how)
    local flags = {
      cflags = table.concat(how.cflags, " "),
      ldflags = table.concat(check.join(ctx.target.link_flags, how.ldflags), " "),
    }
    local variables = args.variables or usual_variables
    if type(variables) == "function" then variables = variables(ctx.target, flags) end
    local argv = check.join(build.make, { "-C", folder }, build.list(args.args, ctx, flags))
    for name, value in pairs(variables) do argv[#argv + 1] = name .. "=" .. value end
    return build.compile(ctx, how, source, argv, names, places, args.env)
  end

  return self
end

return make
