-- autotools.build { … }: ./configure once per target, then make once per variant over the
-- configured tree. Flags go to make and not to configure, so that all variants share one configure.
local check = require "kiln.check"
local build = require "kiln.build"

local autotools = {}

local function configure_argv(args, target)
  return check.join({
    "./configure", "--build=" .. target.build, "--host=" .. target.host,
    "CC=" .. table.concat(target.cc, " "), "CFLAGS=-O2",
    "LDFLAGS=" .. table.concat(target.link_flags, " "), "AR=" .. target.tools.ar,
    "RANLIB=" .. target.tools.ranlib,
  }, args.cxx and { "CXX=" .. table.concat(target.cxx, " "), "CXXFLAGS=-O2" })
end

-- configure, make: lists, or functions of the target that give one. bins: programs by their path in
-- the built tree. exclude: globs of what only configure needs, and no variant's build (tests, manuals).
function autotools.build(args)
  local where = check.fields("autotools.build", args, {
    configure = { "texts|function" }, make = { "texts|function" },
    bins = { "texts", required = true, doc = 'which programs are kept: bins = { "src/tool" }' },
    cxx = { "boolean" }, env = { "map" }, cflags = { "texts" }, ldflags = { "texts" },
    exclude = { "texts" },
  })
  local names, places = build.bins("autotools.build", where, args.bins)
  local self = { type = "build", where = where, bins = names }

  function self.setup(ctx)
    return stage.run {
      address = ctx.target.triple .. "/shared/configure", where = where, workdir = "src",
      inputs = { { at = "src", from = ctx.source } }, env = args.env,
      argv = check.join(configure_argv(args, ctx.target), build.list(args.configure, ctx)),
      outputs = { { path = "src", exclude = check.join({ "config.log" }, args.exclude) } },
    }
  end

  function self.compile(ctx, configured, how)
    local cflags = table.concat(check.join(how.cflags, args.cflags), " ")
    local ldflags = table.concat(check.join(ctx.target.link_flags, how.ldflags, args.ldflags), " ")
    local argv = check.join(build.make, { "-C", "src" }, build.list(args.make, ctx, how),
      { "CFLAGS=" .. cflags }, args.cxx and { "CXXFLAGS=" .. cflags }, { "LDFLAGS=" .. ldflags })
    return build.compile(ctx, how, configured:at "src", argv, names, places, args.env)
  end

  return self
end

return autotools
