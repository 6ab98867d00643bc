-- release { … }: what a recipe ends with. Checks the description, declares the sources, and for every
-- target lets the builder, the optimisation and the packages declare their stages.
local check = require "kiln.check"
local workload = require "kiln.workload"
local package = require "kiln.package"
local fdo = require("kiln.fdo").fdo

local fields = {
  api = { "number", required = true, doc = "write api = 1" },
  name = { "text", required = true, doc = 'as in name = "tool"' }, version = { "text" },
  license = { "text", required = true, doc = "an SPDX expression, as in \"MIT\"" },
  summary = { "text" }, homepage = { "text" }, date = { "number" },
  source = { "source", required = true, doc = 'what is built: checkout { }, folder "…", debian.source { … }' },
  work = { "source" }, deps = { "table" },
  build = { "build", required = true, doc = 'how: make.build { bins = { "tool" } }, or autotools, cmake, meson, cargo' },
  toolchain = { "text" },
  targets = { "table", required = true, list = true, doc = 'as in targets = { "x86_64-unknown-linux-gnu" }' },
  train = { "table", list = true, named = true }, holdout = { "table", list = true, named = true },
  optimize = { "fdo" }, files = { "table", list = true, named = true },
  packages = { "table", required = true, list = true, doc = 'as in packages = { archive { "tar.xz" } }' },
  add = { "texts" }, pools = { "counts" },
}

local function fault(where, path, text, note)
  kiln.fail { where = where, callee = "release", path = path, text = text, note = note }
end

-- What archives and packages say of a release.
local function check_texts(args, where)
  if args.summary and args.summary:find("\n") then
    fault(where, { "summary" }, "summary: expected one line, got several")
  end
  if args.homepage and not args.homepage:match("^%a[%w+.-]*://%S+$") then
    fault(where, { "homepage" }, "homepage: " .. check.describe(args.homepage) .. " is no address",
      'as in homepage = "https://example.org/tool"')
  end
  -- The last second that four digits of a year can say: compilers take no later one.
  if args.date and args.date > 253402300799 then
    fault(where, { "date" }, "date: expected seconds since 1970, at most those of the year 9999, got " ..
      args.date)
  end
end

-- One entry of targets: "TRIPLE" or { "TRIPLE", toolchain = "NAME" }.
local function target_of(args, where, i, entry)
  local path = { "targets", tostring(i) }
  local text, toolchain = entry, args.toolchain or "llvm-19"
  if type(entry) == "table" then
    for key, value in pairs(entry) do
      if key ~= 1 and key ~= "toolchain" then
        fault(where, { "targets", tostring(i), tostring(key) }, 'targets: unknown field "' ..
          tostring(key) .. '"', check.hint(tostring(key), { "toolchain" }))
      end
      if type(value) ~= "string" then
        fault(where, path, "targets: " .. (key == 1 and "" or key .. ": ") ..
          "expected text, got " .. check.describe(value))
      end
    end
    text, toolchain = entry[1], entry.toolchain or toolchain
  end
  if type(text) ~= "string" then
    fault(where, path, "targets: expected a target's triple, got " .. check.describe(text),
      'as in "x86_64-unknown-linux-gnu", or { "x86_64-unknown-linux-gnu", toolchain = "llvm-19" }')
  end
  local triple, wrong, near = kiln.triple(text)
  if not triple then
    fault(where, path, "targets: " .. wrong .. ' "' .. text .. '"',
      near and 'did you mean "' .. near .. '"?   (kiln plan --targets lists all)')
  end
  ---@cast triple -nil
  local target, missing, note = kiln.toolchain(toolchain, triple.base)
  if not target then
    local at = type(entry) == "table" and entry.toolchain and { "targets", tostring(i), "toolchain" }
      or (args.toolchain and { "toolchain" } or path)
    fault(where, at, "targets: " .. missing, note)
  end
  ---@cast target -nil
  if triple.glibc ~= "" then
    fault(where, path, 'targets: the toolchain "' .. toolchain .. '" cannot lower the glibc floor',
      'write "' .. triple.base .. '"')
  end
  target.triple, target.arch, target.os = text, triple.arch, triple.os
  target.exe = triple.os == "windows" and ".exe" or ""
  target.cross = #target.emulator > 0
  return target
end

-- Leaves for files from the web that runs name: one each, however often it is used.
local function fetcher()
  local known = {}
  return function(source)
    local key = source.spec.sha256
    known[key] = known[key] or kiln.leaf("data-" .. key:sub(1, 12), source.spec)
    return known[key]
  end
end

-- The image of a target with what the builder and the runs' scripts need and the recipe adds: one for
-- each base.
local function extender(args, where, targets, tools)
  local needs = args.build.packages
  if type(needs) == "function" then needs = needs(targets) end
  if args.add then where = kiln.where { where = where, callee = "release", path = { "add" } } end
  local known, packages, seen = {}, {}, {}
  for _, name in ipairs(check.join(needs, args.add, tools)) do
    if not seen[name] then packages[#packages + 1] = name end
    seen[name] = true
  end
  return function(base)
    if #packages == 0 then return base end
    if not known[base] then
      known[base] = args.name .. "-" .. base
      kiln.image { name = known[base], base = base, packages = packages, where = where }
    end
    return known[base]
  end
end

-- Other sources, by the path below the source where each is placed. Returns them as a list in the order
-- of their paths.
local function deps_of(args, where)
  local paths, deps = {}, {}
  for path, item in pairs(args.deps or {}) do
    if type(path) ~= "string" or ("/" .. path .. "/"):match("/%.?%.?/") then
      fault(where, { "deps", tostring(path) }, "deps: " .. check.describe(path) ..
        " is no path below the source", 'write it as in deps = { ["vendor/zlib"] = debian.source { … } }')
    end
    if type(item) ~= "table" or item.type ~= "source" or item.spec.kind == "checkout" then
      fault(where, { "deps", path }, "deps: expected debian.source, folder or https, got " ..
        check.describe(item))
    end
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for i, path in ipairs(paths) do
    local item = args.deps[path]
    deps[i] = { at = path, from = kiln.leaf("dep-" .. i, item.spec, item.values) }
  end
  return deps
end

local function check_runs(args, where, optimize)
  local train = workload.list("train", args.train, where)
  local holdout = workload.list("holdout", args.holdout, where)
  if optimize.trains and #train == 0 then
    fault(where, { "optimize" }, "release: a profile needs training runs: train = { run { … } }")
  end
  if not args.optimize and #train > 0 then
    fault(where, { "train" }, "train: nothing is made of these runs: optimize asks for no profile",
      "as in optimize = fdo { lto = \"thin\", pgo = true, ship = \"pgo+lto\" }")
  end
  if args.optimize and #holdout == 0 then
    fault(where, { "optimize" },
      "release: an optimised variant must be proved on a held-out workload: holdout = { run { … } }")
  end
  -- The plain variant's held-out runs are run twice, the second time under NAME-again.
  local held = {}
  for _, entry in ipairs(holdout) do held[entry.name] = entry.run end
  for _, entry in ipairs(holdout) do
    local again = held[entry.name .. "-again"]
    if again then
      kiln.fail { where = again.where, text = 'holdout: "' .. entry.name .. '-again" is what the second '
        .. 'run of "' .. entry.name .. '" is called', note = "give it another name" }
    end
  end
  workload.resolve(train, args.build.bins, args.work)
  workload.resolve(holdout, args.build.bins, args.work)
  workload.disjoint(train, holdout)
  return train, holdout
end

local function check_lists(args, where)
  for key, item in pairs(args.packages) do
    if type(item) ~= "table" or item.type ~= "package" then
      fault(where, { "packages", tostring(key) },
        "packages: expected archive { … } or deb { … }, got " .. check.describe(item))
    end
  end
  if #args.packages == 0 then
    fault(where, { "packages" }, "packages: name at least one", 'as in packages = { archive { "tar.xz" } }')
  end
  if #args.targets == 0 then
    fault(where, { "targets" }, "targets: name at least one", 'as in targets = { "x86_64-unknown-linux-gnu" }')
  end
  if args.work and args.work.spec.kind ~= "folder" then
    fault(where, { "work" }, "work: expected folder \"…\", which lies beside the recipe")
  end
end

-- What would stand at one address: a target named twice, packages of one format.
local function check_twins(args, where, targets)
  local seen = {}
  for i, target in ipairs(targets) do
    if seen[target.triple] then
      fault(where, { "targets", tostring(i) }, 'targets: "' .. target.triple .. '" is there twice')
    end
    seen[target.triple] = true
    local made = {}
    for k, item in ipairs(args.packages) do
      local format = item.format and item.format(target)
      if format and made[format] then
        fault(where, { "packages", tostring(k) }, "packages: two of the format " .. format .. " for " ..
          target.triple)
      end
      if format then made[format] = true end
    end
  end
end

local function release(args)
  local where = check.fields("release", args, fields)
  if args.api ~= 1 then
    fault(where, { "api" }, "release: this Kiln knows api = 1, not " .. tostring(args.api))
  end
  check_lists(args, where)
  local optimize = args.optimize or fdo { ship = "plain" }
  local train, holdout = check_runs(args, where, optimize)
  local files = package.files(args.files, where)
  for _, item in ipairs(args.packages) do
    if item.check then item.check(args.name, files, where) end
  end
  local version = args.version or args.source.values.version
  if not version then
    fault(where, {}, 'release: the field "version" is missing',
      'as in version = "1.2.0"; a checkout takes it from its tags: git.version { tag = "v*" }')
  end
  check_texts(args, where)
  local date = args.date
  if not date and args.source.spec.kind ~= "debian" and args.source.spec.kind ~= "checkout" then
    fault(where, {}, 'release: the field "date" is missing',
      "seconds since 1970: the time every file of the release carries")
  end

  local source = kiln.leaf("source", args.source.spec, args.source.values)
  local work = args.work and kiln.leaf("work", args.work.spec)
  local deps, ids = deps_of(args, where), { source.id }
  for _, dep in ipairs(deps) do ids[#ids + 1] = dep.from.id end
  kiln.recipe {
    name = args.name, version = version, license = args.license, summary = args.summary,
    homepage = args.homepage, date = date or { ["$fact"] = source.id, field = "date" }, pools = args.pools,
    where = where,
  }
  local fetched = fetcher()
  workload.declare_data(train, { work = work, fetched = fetched })
  workload.declare_data(holdout, { work = work, fetched = fetched })
  local targets = {}
  for i, entry in ipairs(args.targets) do targets[i] = target_of(args, where, i, entry) end
  local extended = extender(args, where, targets, workload.tools(train, holdout))
  for _, target in ipairs(targets) do target.image = extended(target.image) end
  check_twins(args, where, targets)
  for _, target in ipairs(targets) do
    local ctx = {
      license = args.license,
      where = args.build.where, name = args.name, version = version, summary = args.summary,
      homepage = args.homepage, target = target, source = source, deps = deps, work = work, build = args.build,
      train = train, holdout = holdout, files = files, fetched = fetched, tars = {},
      made_of = check.join(ids),
    }
    local variants, bins, ship = optimize.pipeline(ctx)
    kiln.target { triple = target.triple, toolchain = target.name, image = target.image,
      path = target.path, variants = variants, ship = ship, reference = "plain", where = where }
    for _, variant in ipairs(variants) do
      for _, item in ipairs(args.packages) do item.declare(ctx, variant, bins[variant]) end
    end
  end
  return { type = "release", name = args.name }
end

return { release = release }
