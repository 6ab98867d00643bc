-- make.build { … }: a plain Makefile, run once per variant over the source. There is nothing that
-- variants share.
local check = require "kiln.check"
local build = require "kiln.build"

local make = {}

-- What most Makefiles listen to.
local function usual_variables(target, how)
  return {
    CC = table.concat(target.cc, " "), CXX = table.concat(target.cxx, " "), AR = target.tools.ar,
    RANLIB = target.tools.ranlib, CFLAGS = how.cflags, CXXFLAGS = how.cflags, LDFLAGS = how.ldflags,
  }
end

-- Runs a configure of the project's own first, which finds compiler and flags in the environment.
local configured = [[
cd "$KILN_FOLDER"; "$@"; cd - >/dev/null
shift "$#"; eval "set -- $KILN_MAKE"
exec make "$@"]]

local function quote(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = "'" .. word:gsub("'", "'\\''") .. "'" end
  return table.concat(quoted, " ")
end

-- args: targets and options of make. variables: a table, or a function of target and how (cflags
-- and ldflags as texts) that gives one; it replaces CC, CXX, AR, RANLIB, CFLAGS, CXXFLAGS, LDFLAGS.
-- cflags, ldflags: what the sources need besides the variant's own. configure: a command that runs
-- before make, for a ./configure that autoconf did not make. test: what make is called with to run the
-- project's own tests, in the built tree, before a release.
function make.build(args)
  local where = check.fields("make.build", args, {
    args = { "texts|function" }, variables = { "map|function" }, env = { "map" }, dir = { "text" },
    cflags = { "texts" }, ldflags = { "texts" }, configure = { "texts" }, test = { "texts" },
    bins = { "texts", required = true, doc = 'which programs are kept: bins = { "src/tool" }' },
  })
  local names, places = build.bins("make.build", where, args.bins)
  local self = { type = "build", where = where, bins = names }
  local folder = args.dir and "src/" .. args.dir or "src"

  function self.setup(ctx) return ctx.source end

  function self.compile(ctx, source, how)
    local flags = {
      cflags = table.concat(check.join(how.cflags, args.cflags), " "),
      -- Many a rule that links has LDFLAGS and no CFLAGS: counters and LTO need both to know.
      ldflags = table.concat(
        check.join(ctx.target.link_flags, how.cflags, how.ldflags, args.ldflags), " "),
    }
    local variables = args.variables or usual_variables
    if type(variables) == "function" then variables = variables(ctx.target, flags) end
    local words = check.join({ "-C", folder }, build.list(args.args, ctx, flags))
    for name, value in pairs(variables) do words[#words + 1] = name .. "=" .. value end
    if not args.configure then
      return build.compile(ctx, how, { source = source, argv = check.join(build.make, words),
        names = names, places = places, env = args.env })
    end
    local env = { KILN_FOLDER = folder, KILN_MAKE = quote(words) }
    for name, value in pairs(variables) do env[name] = value end
    for name, value in pairs(args.env or {}) do env[name] = value end
    return build.compile(ctx, how, { source = source, names = names, places = places, env = env,
      argv = check.join({ "/bin/sh", "-euc", configured, "configure" }, args.configure) })
  end

  if args.test then
    function self.test(ctx, made, how)
      return build.test(ctx, how, { names = names, places = build.under("src/", places), env = args.env,
        inputs = { { at = "src", from = made:at "src" } },
        argv = check.join(build.make, { "-C", folder }, args.test) })
    end
  end

  return self
end

return make
