-- fdo { … }: feedback-directed optimisation. The program is built plain, with link-time
-- optimisation, with a profile of its training runs, and re-laid by BOLT; every variant is run on
-- the held-out workload and must print what the plain one prints.
local check = require "kiln.check"
local workload = require "kiln.workload"

local lto_flags = { thin = { "-flto=thin" }, full = { "-flto" } }

local bolt_flags = {
  "-reorder-blocks=ext-tsp", "-reorder-functions=cdsort", "-split-functions", "-split-all-cold",
  "-split-eh", "-icf=1", "-no-huge-pages", "-dyno-stats",
}

-- Which variants there are, from the simplest on, with and without BOLT.
local function variant_names(args)
  local names, last = { "plain" }, nil
  if args.lto then
    last = "lto"
    names[#names + 1] = last
  end
  if args.pgo then
    last = args.lto and "pgo+lto" or "pgo"
    names[#names + 1] = last
  end
  return names, last, (last and last .. "+" or "") .. "bolt"
end

local function use_bolt(args, target, where)
  local listed = target.bolt ~= nil
  if args.bolt == true and not listed then
    kiln.fail { where = where, callee = "fdo", path = { "bolt" },
      text = "fdo: bolt: the toolchain does not list it for " .. target.triple,
      note = 'bolt = "auto" uses it where it is listed' }
  end
  return listed and (args.bolt == "auto" or args.bolt == true)
end

-- ship names a variant; where the target has no BOLT, the variant below it ships.
local function shipped(args, names, best, with_bolt, where)
  for _, name in ipairs(names) do
    if name == args.ship then return name end
  end
  local all = check.join(names, args.bolt and best ~= with_bolt and { with_bolt })
  if args.bolt and args.ship == with_bolt then return best end
  local fastest = args.ship == "fastest"
  kiln.fail { where = where, callee = "fdo", path = { "ship" },
    text = fastest and 'fdo: ship: "fastest" needs measurements, and nothing measures yet'
      or 'fdo: ship: there is no variant "' .. args.ship .. '"',
    note = check.hint(fastest and "" or args.ship, all, "name one of: " .. table.concat(all, ", ")) }
end

local function suffix(bins, name) return #bins > 1 and "-" .. name or "" end

local counting_flags = { "-fprofile-generate" }
local profile_flags = { "-fprofile-use=/build/kiln.profdata", "-Werror=backend-plugin" }

-- What compiling gave: the programs by name, the stage with the built tree where how.tree asks for it,
-- and `how` itself.
local function compile(ctx, shared, how)
  local bins, tree = ctx.build.compile(ctx, shared, how)
  return { bins = bins, tree = tree, how = how }
end

-- Whether a run may run a program.
local function runs(entry, name)
  for _, one in ipairs(entry.bins) do
    if one == name then return true end
  end
  return false
end

-- One compiler's profile serves the whole build, by the functions' names. A program that was never run
-- would be given what another one's main counted.
local function check_trained(ctx, args)
  for _, name in ipairs(ctx.build.bins) do
    local trained = false
    for _, entry in ipairs(ctx.train) do trained = trained or runs(entry, name) end
    if not trained then
      kiln.fail { where = args.where, callee = "fdo", path = { "pgo" },
        text = 'fdo: pgo: no training run runs "' .. name .. '"',
        note = "with pgo every program of the build is trained: add a run of it to train, if only: run { bin \"" ..
          name .. '", "--version" }' }
    end
  end
end

-- How much of the held-out runs is code that training never ran: they are run under the counters too.
local function unseen(ctx, args, address, counting, profile)
  local parts = {}
  for i, entry in ipairs(ctx.holdout) do
    parts[i] = { from = workload.stage("workload", ctx, entry, address .. "count-" .. entry.name, counting,
      { collect = "profraw" }):at "prof" }
  end
  if #parts == 0 then return nil end
  return stage.unseen { address = address .. "unseen", where = args.where, trained = profile,
    profiles = parts, tool = ctx.target.tools.profdata } :at "unseen.json"
end

-- The profile of the training runs, and the build that uses it.
local function profile_guided(ctx, args, shared, variant, how)
  local triple = ctx.target.triple
  local address = triple .. "/" .. variant .. "/"
  check_trained(ctx, args)
  local counting = ctx.build.compile(ctx, shared, {
    kind = "instrument", address = address .. "instrument", late = counting_flags,
    level = how.level, lto = how.lto, counting = true,
    cflags = check.join(how.cflags, counting_flags), ldflags = {},
  })
  local parts = {}
  for _, entry in ipairs(ctx.train) do
    local ran = workload.stage("workload", ctx, entry, address .. "train-" .. entry.name,
      counting, { collect = "profraw" })
    parts[#parts + 1] = { from = ran:at "prof", weight = entry.run.weight }
  end
  local merged = stage.profdata_merge {
    address = address .. "profile", where = args.where, profiles = parts,
    tool = ctx.target.tools.profdata, functions = args.functions,
  }
  local profile = merged:at "merged.profdata"
  kiln.profile { id = triple .. "/pgo", target = triple, kind = "pgo", from = profile,
    flags = how.cflags, sources = ctx.made_of, where = args.where,
    unseen = unseen(ctx, args, address, counting, profile) }
  return compile(ctx, shared, {
    kind = "rebuild", address = address .. "rebuild", profile = profile, late = profile_flags,
    level = how.level, lto = how.lto, relocs = how.relocs,
    cflags = check.join(how.cflags, profile_flags), ldflags = how.ldflags, tree = how.tree,
  })
end

-- Whether any run may run several programs: then each program's profile lies in a folder of its own.
local function runs_several(list)
  for _, entry in ipairs(list) do
    if #entry.bins > 1 then return true end
  end
  return false
end

-- The training runs over `programs`, each once. Returns by program what they left, for merging.
local function bolt_parts(kind, ctx, address, programs, several, options)
  local parts = {}
  for _, entry in ipairs(ctx.train) do
    local own = { profiled = several and entry.bins or nil }
    for key, value in pairs(options or {}) do own[key] = value end
    local ran = workload.stage(kind, ctx, entry, address .. entry.name, programs, own)
    for _, name in ipairs(entry.bins) do
      parts[name] = parts[name] or {}
      parts[name][#parts[name] + 1] = { from = ran:at("prof" .. (several and "/" .. name or "")),
        weight = entry.run.weight }
    end
  end
  return parts
end

-- The same profiles by sampling the programs themselves: the plan takes them in place of the
-- instrumented ones where the machine has branch stacks.
local function sampled(ctx, args, address, programs, several)
  local target = ctx.target
  if not args.sample or target.cross then return {} end
  if not target.tools.perf2bolt then
    kiln.fail { where = args.where, callee = "fdo", path = { "sample" },
      text = 'fdo: sample: the toolchain "' .. target.name .. '" names no perf2bolt' }
  end
  local merged = {}
  local parts = bolt_parts("perf_record", ctx, address .. "sample-", programs, several,
    { tool = target.tools.perf2bolt })
  for name, list in pairs(parts) do
    merged[name] = stage.fdata_merge {
      address = address .. "sampled" .. suffix(ctx.build.bins, name), where = args.where,
      profiles = list, tool = target.tools.merge_fdata,
    } :at "merged.fdata"
  end
  return merged
end

-- The programs with BOLT's counters; one that no training run uses stays as it is.
local function bolt_counting(ctx, args, address, programs, several)
  local target, counting = ctx.target, {}
  for _, name in ipairs(ctx.build.bins) do
    counting[name] = programs[name]
    for _, entry in ipairs(ctx.train) do
      if counting[name] == programs[name] and runs(entry, name) then
        counting[name] = stage.bolt_instrument {
          address = address .. "instrument" .. suffix(ctx.build.bins, name), where = args.where,
          binary = programs[name], tool = target.tools.bolt, profile = several and name or nil,
          runtime_library = target.bolt.runtime_library, flags = args.bolt_skip,
        } :at "instrumented"
      end
    end
  end
  return counting
end

-- All programs through BOLT, each by its own profile.
local function bolted(ctx, args, variant, programs, after)
  local target, bins = ctx.target, ctx.build.bins
  local address = target.triple .. "/" .. variant .. "/"
  local several, done = runs_several(ctx.train), {}
  local counting = bolt_counting(ctx, args, address, programs, several)
  local parts = bolt_parts("bolt_workload", ctx, address .. "train-", counting, several)
  local by_sampling = sampled(ctx, args, address, programs, several)
  for _, name in ipairs(bins) do
    done[name] = programs[name]
    if parts[name] then
      local profile = stage.fdata_merge {
        address = address .. "profile" .. suffix(bins, name), where = args.where, profiles = parts[name],
        tool = target.tools.merge_fdata,
      } :at "merged.fdata"
      kiln.profile { id = target.triple .. "/bolt" .. suffix(bins, name), target = target.triple,
        kind = "bolt", from = profile, sampled = by_sampling[name], flags = {},
        sources = ctx.made_of, after = after, where = args.where }
      done[name] = stage.llvm_bolt {
        address = address .. "bolt" .. suffix(bins, name), where = args.where, binary = programs[name],
        fdata = profile, tool = target.tools.bolt, flags = check.join(args.bolt_flags, args.bolt_skip),
      } :at "bolted"
    end
  end
  return done
end

local function strip(ctx, args, variant, built)
  local bins = {}
  for _, name in ipairs(ctx.build.bins) do
    bins[name] = stage.strip {
      address = ctx.target.triple .. "/" .. variant .. "/strip" .. suffix(ctx.build.bins, name),
      where = args.where, binary = built[name], tool = ctx.target.tools.strip,
    } :at "stripped"
  end
  return bins
end

-- What a variant's stripped programs print on the held-out workload.
local function hold_out(ctx, variant, bins, again)
  local printed = {}
  for _, entry in ipairs(ctx.holdout) do
    printed[#printed + 1] = workload.stage("workload", ctx, entry,
      ctx.target.triple .. "/" .. variant .. "/holdout-" .. entry.name .. (again and "-again" or ""),
      bins, { collect = "none", run = again and 2 or nil }).stdout
  end
  return printed
end

-- Compares with the plain variant; the plain one with its own second run, so that a workload that
-- prints something else every time is found before it accuses a variant.
local function smoke(ctx, args, variant, bins, reference)
  local first = variant == "plain"
  local printed = hold_out(ctx, variant, bins, false)
  if #ctx.holdout == 0 then return printed end
  local names, filters = {}, {}
  for _, entry in ipairs(ctx.holdout) do
    names[#names + 1] = entry.name
    filters[entry.name] = entry.run.filters
  end
  local result = stage.smoke {
    address = ctx.target.triple .. "/" .. variant .. "/smoke", where = args.where, cases = names,
    reference = first and printed or reference,
    candidate = first and hold_out(ctx, variant, bins, true) or printed,
    filters = next(filters) and filters,
    label = first and "plain against itself: the workload prints something else on every run"
      or variant .. " against plain",
  }
  kiln.smoke { target = ctx.target.triple, variant = variant, stage = result, where = args.where }
  return printed
end

-- The project's own tests, over a variant's programs as they ship.
local function run_tests(ctx, args, variant, compiled, bins)
  local triple = ctx.target.triple
  kiln.test { target = triple, variant = variant, where = args.where,
    stage = ctx.build.test(ctx, compiled.tree, { address = triple .. "/" .. variant .. "/test",
      bins = bins, compiled = compiled.how }) }
end

-- Declares every variant of a target. Returns their names, the stripped programs of each, and
-- which one ships.
local function pipeline(args, ctx)
  local triple = ctx.target.triple
  local names, last, with_bolt = variant_names(args)
  local bolt = use_bolt(args, ctx.target, args.where)
  if bolt then names[#names + 1] = with_bolt end
  local ship = shipped(args, names, names[#names], with_bolt, args.where)
  local shared = ctx.build.setup(ctx)
  local how = {
    level = args.level, lto = args.lto, relocs = bolt,
    cflags = check.join({ args.level }, rawget(lto_flags, args.lto or "") or {}),
    ldflags = bolt and { "-Wl,--emit-relocs" } or {},
  }
  -- The variant whose compiled tree the project's tests of another one are run in.
  local base = ship == with_bolt and (last or "plain") or ship
  local tests = ctx.build.test and not ctx.target.cross
  local built = {}
  local function compile_as(variant, words)
    words.kind, words.address = "build", triple .. "/" .. variant .. "/build"
    words.relocs = bolt and variant == (last or "plain")
    words.ldflags = words.relocs and how.ldflags or {}
    words.tree = tests and (variant == base or variant == "plain")
    built[variant] = compile(ctx, shared, words)
  end
  compile_as("plain", { cflags = { args.baseline } })
  if args.lto then
    compile_as("lto", { cflags = how.cflags, level = how.level, lto = how.lto })
  end
  if args.pgo and last then
    how.tree = tests and last == base
    built[last] = profile_guided(ctx, args, shared, last, how)
  end
  if bolt then
    built[with_bolt] = { bins = bolted(ctx, args, with_bolt, built[last or "plain"].bins,
      args.pgo and triple .. "/pgo" or nil) }
  end
  local stripped, reference = {}, nil
  for _, variant in ipairs(names) do
    stripped[variant] = strip(ctx, args, variant, built[variant].bins)
    local printed = smoke(ctx, args, variant, stripped[variant], reference)
    reference = reference or printed
  end
  if tests then
    run_tests(ctx, args, "plain", built.plain, stripped.plain)
    if ship ~= "plain" then run_tests(ctx, args, ship, built[base], stripped[ship]) end
  end
  return names, stripped, ship
end

-- lto: "thin", "full" or false. pgo: true or false. bolt: "auto" (where the toolchain lists it), true
-- or false. ship: the variant that is released. baseline, level: -O flags of the plain and the other
-- variants. functions: the fewest functions a profile must cover. bolt_flags replace the usual ones;
-- bolt_skip names functions (as regular expressions) that BOLT leaves alone. sample: take BOLT's
-- profile with perf where the machine has branch stacks; the image must then have perf.
local function fdo(args)
  local where = check.fields("fdo", args, {
    lto = { "text|boolean" }, pgo = { "boolean" }, bolt = { "text|boolean" },
    ship = { "text", required = true, doc = "say which variant is released" },
    baseline = { "text" }, level = { "text" }, functions = { "number" }, bolt_flags = { "texts" },
    bolt_skip = { "texts" }, sample = { "boolean" },
  })
  local function one_of(field, value, values)
    for _, allowed in ipairs(values) do
      if value == allowed then return end
    end
    kiln.fail { where = where, callee = "fdo", path = { field },
      text = "fdo: " .. field .. ": " .. check.describe(value) .. " is none of: " ..
        table.concat(values, ", ") .. ", false" }
  end
  if args.lto then one_of("lto", args.lto, { "thin", "full" }) end
  if args.bolt and args.bolt ~= true then one_of("bolt", args.bolt, { "auto", "true" }) end
  local all = {
    where = where, lto = args.lto or nil, pgo = args.pgo or false, bolt = args.bolt or false,
    ship = args.ship, baseline = args.baseline or "-O2", level = args.level or "-O3",
    functions = args.functions, sample = args.sample or false, bolt_flags = args.bolt_flags or bolt_flags,
    bolt_skip = args.bolt_skip and { "-skip-funcs=" .. table.concat(args.bolt_skip, ",") } or {},
  }
  return {
    type = "fdo", where = where, trains = all.pgo or all.bolt ~= false,
    pipeline = function(ctx) return pipeline(all, ctx) end,
  }
end

return { fdo = fdo }
