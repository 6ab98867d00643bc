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

-- What a bootstrap needs besides the image's own.
local bootstrap_packages = { "autoconf", "automake", "libtool", "pkgconf" }

-- configure, make: lists, or functions of the target that give one. bins: programs by their path in
-- the built tree. bootstrap: a command that makes ./configure where the source lacks it. test: what make is
-- called with to run the project's own tests, as in { "check" }. exclude: globs of what only configure needs, and no variant's build (tests, manuals).
function autotools.build(args)
  local where = check.fields("autotools.build", args, {
    configure = { "texts|function" }, make = { "texts|function" },
    bins = { "texts", required = true, doc = 'which programs are kept: bins = { "src/tool" }' },
    cxx = { "boolean" }, env = { "map" }, cflags = { "texts" }, ldflags = { "texts" },
    exclude = { "texts" }, bootstrap = { "texts" }, test = { "texts" },
  })
  local names, places = build.bins("autotools.build", where, args.bins)
  local self = { type = "build", where = where, bins = names,
    packages = args.bootstrap and bootstrap_packages }
  local bootstrapped = nil

  -- Once, for all targets.
  local function bootstrap(ctx)
    if not args.bootstrap then return ctx.source end
    bootstrapped = bootstrapped or stage.run {
      address = ctx.target.triple .. "/shared/bootstrap", where = where, workdir = "src",
      inputs = build.inputs(ctx, ctx.source), env = args.env, argv = args.bootstrap,
      outputs = { { path = "src", exclude = { "autom4te.cache" } } },
    } :at "src"
    return bootstrapped
  end

  function self.setup(ctx)
    return stage.run {
      address = ctx.target.triple .. "/shared/configure", where = where, workdir = "src",
      inputs = build.inputs(ctx, bootstrap(ctx)), env = args.env,
      argv = check.join(configure_argv(args, ctx.target), build.list(args.configure, ctx)),
      outputs = { { path = "src", exclude = check.join({ "config.log" }, args.exclude) } },
    }
  end

  function self.compile(ctx, configured, how)
    local cflags = table.concat(check.join(how.cflags, args.cflags), " ")
    -- A rule that links may have LDFLAGS and no CFLAGS: counters and LTO need both to know.
    local ldflags = table.concat(
      check.join(ctx.target.link_flags, how.cflags, how.ldflags, args.ldflags), " ")
    local argv = check.join(build.make, { "-C", "src" }, build.list(args.make, ctx, how),
      { "CFLAGS=" .. cflags }, args.cxx and { "CXXFLAGS=" .. cflags }, { "LDFLAGS=" .. ldflags })
    return build.compile(ctx, how, {
      source = configured:at "src", argv = argv, names = names, places = places, env = args.env,
    })
  end

  if args.test then
    function self.test(ctx, made, how)
      return build.test(ctx, how, { names = names, places = build.under("src/", places),
        env = args.env, inputs = { { at = "src", from = made:at "src" } },
        argv = check.join(build.make, { "-C", "src" }, args.test) })
    end
  end

  return self
end

return autotools
