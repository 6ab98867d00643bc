-- cargo.build { … }: a Cargo package, its crates fetched before anything is built and compiled offline
-- from there. cargo.manifest reads what a package says about itself.
local check = require "kiln.check"
local build = require "kiln.build"

local cargo = {}

local absent = {
  license = 'write license = "…" in the recipe, an SPDX expression',
  version = 'write version = "…" in the recipe',
}

-- The package of the Cargo.toml in a folder beside the recipe: name, version, license, bins. What it
-- does not say is an error once the recipe asks for it.
function cargo.manifest(dir)
  local where = kiln.where()
  if dir ~= nil and type(dir) ~= "string" then
    kiln.fail { where = where, callee = "manifest",
      text = 'cargo.manifest: expected a folder, as in cargo.manifest "crates/cli", got '
        .. check.describe(dir) }
  end
  local fact = kiln.cargo_manifest(dir or ".")
  local fields = { name = fact.name, version = fact.version, license = fact.license, bins = fact.bins }
  return setmetatable(fields, { __index = function(_, field)
    local note = absent[field]
    local text = fact.path .. " has no " .. tostring(field)
    if field == "license" and fact.license_file then
      text = text .. ", only a license-file (" .. fact.license_file .. ")"
    elseif not note then
      text = 'cargo.manifest: unknown field "' .. tostring(field) .. '"'
      note = check.hint(tostring(field), { "name", "version", "license", "bins" })
    end
    kiln.fail { text = text, note = note }
  end })
end

-- What a variant is, in the words of Cargo's release profile. Plain is the profile as the project has
-- it. Symbols stay in every variant: BOLT reads them, and what ships is stripped afterwards.
local levels = { ["-O0"] = "0", ["-O1"] = "1", ["-O"] = "2", ["-O2"] = "2", ["-O3"] = "3",
  ["-Os"] = "s", ["-Oz"] = "z" }

local function release_profile(how, where)
  local profile = { STRIP = "none", LTO = how.lto and ({ thin = "thin", full = "fat" })[how.lto] }
  if how.level then
    profile.OPT_LEVEL = rawget(levels, how.level)
    if not profile.OPT_LEVEL then
      kiln.fail { where = where, text = 'cargo.build: Cargo knows no optimisation level "' .. how.level
        .. '"', note = "fdo's level is one of -O0, -O1, -O2, -O3, -Os, -Oz" }
    end
  end
  return profile
end

local function rust_flags(args, target, how)
  local flags = {}
  local link = check.join({ table.unpack(target.cc, 2) }, target.link_flags,
    how.relocs and { "-Wl,--emit-relocs" })
  for _, word in ipairs(link) do flags[#flags + 1] = "-Clink-arg=" .. word end
  if how.counting then flags[#flags + 1] = "-Cprofile-generate" end
  if how.profile then flags[#flags + 1] = "-Cprofile-use=/build/kiln.profdata" end
  return check.join(flags, args.rustflags)
end

-- C and C++ of crates and build scripts, in the variables that Cargo's and the cc crate's builds read.
local function c_compilers(env, target)
  local host = target.build:gsub("%-pc%-", "-unknown-")
  local function set(triple, words)
    local name, plain = triple:gsub("[-.]", "_"), nil
    plain = table.concat({ table.unpack(words, 2) }, " ")
    env["CARGO_TARGET_" .. name:upper() .. "_LINKER"] = words[1]
    env["CC_" .. name], env["CXX_" .. name] = words[1], target.cxx[1]
    env["AR_" .. name], env["RANLIB_" .. name] = target.tools.ar, target.tools.ranlib
    if plain ~= "" then env["CFLAGS_" .. name], env["CXXFLAGS_" .. name] = plain, plain end
  end
  set(host, { target.cc[1] })
  set(target.triple, target.cc)
end

local function environment(args, where, target, how)
  local env = {
    CARGO_HOME = "/build/cargo", CARGO_TARGET_DIR = "/build/target", CARGO_INCREMENTAL = "0",
    CARGO_TERM_COLOR = "never", CARGO_ENCODED_RUSTFLAGS = table.concat(rust_flags(args, target, how), "\x1f"),
  }
  c_compilers(env, target)
  for name, value in pairs(release_profile(how, where)) do
    env["CARGO_PROFILE_RELEASE_" .. name] = value
  end
  for name, value in pairs(args.env or {}) do env[name] = value end
  return env
end

local function check_env(args, where)
  for name in pairs(args.env or {}) do
    if name:match("RUSTFLAGS$") or name:match("^CARGO_PROFILE_RELEASE_") or name == "CARGO_HOME"
      or name == "CARGO_TARGET_DIR" then
      kiln.fail { where = where, callee = "build", path = { "env", name },
        text = 'cargo.build: env: "' .. name .. '" is what makes the variants differ',
        note = "add to the flags: rustflags = { … }; the plain variant is the manifest's own profile" }
    end
  end
end

-- Without bins: those of the manifest in that folder beside the recipe.
local function programs(args, where)
  if args.bins then return args.bins end
  local dir = args.dir or "."
  if args.package or kiln.stat(args.dir and dir .. "/Cargo.toml" or "Cargo.toml") ~= "file" then
    kiln.fail { where = where, callee = "build", path = {},
      text = 'cargo.build: the field "bins" is missing',
      note = 'which programs are kept: bins = { "tool" }, or bins = pkg.bins of cargo.manifest' }
  end
  return kiln.cargo_manifest(dir).bins
end

-- What is built, for cargo build and cargo test alike.
local function selection(args, target)
  local argv = { "--release", "--offline", "--locked", "--target", target.triple }
  if args.package then argv = check.join(argv, { "--package", args.package }) end
  if args.default_features == false then argv[#argv + 1] = "--no-default-features" end
  if args.features then
    argv = check.join(argv, { "--features", table.concat(args.features, ",") })
  end
  return argv
end

-- Beside the job server, which it finds in MAKEFLAGS, cargo warns of a -j that it is told.
local jobs = 'export CARGO_BUILD_JOBS="${KILN_JOBS:-1}"; '

local function arguments(args, target, names)
  local argv = check.join({ "/bin/sh", "-ec", jobs .. 'exec cargo build "$@"', "cargo" },
    selection(args, target))
  for _, name in ipairs(names) do argv = check.join(argv, { "--bin", name }) end
  return argv
end

-- Compiles the tests, then puts the programs as they ship where the tests find them, newer than what
-- cargo could want to make them of.
local testing = jobs .. [[
cargo test --no-run "$@"
for name in $KILN_BINS; do cat "/build/bins/$name" >"/build/$KILN_RELEASED$name"; done
exec cargo test "$@"]]

-- Where Cargo leaves the programs.
local function released(target) return "target/" .. target.triple .. "/release/" end

-- dir: where Cargo.lock lies in the source, a workspace's root. package: of a workspace. bins:
-- programs by name; default: the manifest's. rustflags: besides the variant's. test: what cargo test is
-- called with besides, to run the project's own tests before a release; {} for nothing besides.
function cargo.build(args)
  local where = check.fields("cargo.build", args, {
    package = { "text" }, bins = { "texts" }, features = { "texts" }, default_features = { "boolean" },
    dir = { "text" }, env = { "map" }, rustflags = { "texts" }, test = { "texts" },
  })
  check_env(args, where)
  local names, places = build.bins("cargo.build", where, programs(args, where))
  local self = { type = "build", where = where, bins = names }
  local fetched, n = {}, 0
  local folder = args.dir and "src/" .. args.dir or "src"

  function self.packages(targets)
    local list = { "cargo" }
    for _, target in ipairs(targets) do
      list = check.join(list, { "libstd-rust-dev:" .. target.debian })
    end
    return list
  end

  -- The crates once for each image: they are fetched by its cargo.
  function self.setup(ctx)
    local image = ctx.target.image
    if not fetched[image] then
      n = n + 1
      fetched[image] = kiln.leaf(n == 1 and "crates" or "crates-" .. n, { kind = "cargo",
        source = ctx.source.id, image = image, dir = args.dir, where = where })
    end
    ctx.made_of[#ctx.made_of + 1] = fetched[image].id
    return fetched[image]
  end

  function self.compile(ctx, crates, how)
    local target = ctx.target
    return build.compile(ctx, how, {
      source = ctx.source, argv = arguments(args, target, names), names = names, places = places,
      env = environment(args, where, target, how), folder = released(target), trees = {},
      inputs = { { at = "cargo", from = crates } }, workdir = folder,
    })
  end

  if args.test then
    function self.test(ctx, _, how)
      local target, compiled = ctx.target, how.compiled
      local inputs = build.inputs(ctx, ctx.source)
      local env = environment(args, where, target, compiled)
      inputs[#inputs + 1] = { at = "cargo", from = fetched[target.image] }
      if compiled.profile then
        inputs[#inputs + 1] = { at = "kiln.profdata", from = compiled.profile }
      end
      for _, name in ipairs(names) do
        inputs[#inputs + 1] = { at = "bins/" .. name, from = how.bins[name] }
      end
      env.KILN_BINS, env.KILN_RELEASED = table.concat(names, " "), released(target)
      return stage.run {
        address = how.address, where = ctx.where, env = env, inputs = inputs, outputs = {},
        argv = check.join({ "/bin/sh", "-euc", testing, "test" }, selection(args, target), args.test),
        workdir = folder, timeout = 7200,
      }
    end
  end

  return self
end

return cargo
