-- Workloads: runs of the program that train a profile or hold it to its promise. A run is a command
-- line whose parts are texts and files; the files are placed in the run's work folder at the path
-- they have in the release's `work` folder, those from the web as fetched/DIGEST/NAME.
local check = require "kiln.check"
local source = require "kiln.source"

local workload = {}

-- The program itself: the first part of a run.
function workload.bin(name)
  if type(name) ~= "string" then kiln.fail { text = "bin: expected a program's name" } end
  return { type = "bin", name = name }
end

-- A path of the work folder as a path beside the recipe.
local function beside(work, path)
  return work.spec.path == "." and path or work.spec.path .. "/" .. path
end

local function placed(kind, path)
  if type(path) ~= "string" then
    kiln.fail { text = kind .. ": expected a path in the release's work folder" }
  end
  if path == "" or path:sub(1, 1) == "/" or ("/" .. path .. "/"):match("/%.?%.?/") then
    kiln.fail { text = kind .. ': "' .. path .. '" is no path below the work folder',
      note = 'write it as in "train/data.txt"' }
  end
  return { type = kind, path = path }
end

function workload.file(path) return placed("file", path) end
function workload.dir(path) return placed("dir", path) end

local function part_fault(where, i, text, note)
  kiln.fail { where = where, callee = "run", path = { tostring(i) }, text = "run: " .. text, note = note }
end

-- One part of a command line: its text, and what it needs in the work folder.
local function add_part(run, i, part)
  local kind = type(part) == "table" and part.type
  if type(part) == "string" or math.type(part) == "integer" then
    run.argv[#run.argv + 1] = tostring(part)
  elseif kind == "file" or kind == "dir" then
    run.argv[#run.argv + 1] = part.path
    run.places[#run.places + 1] = { kind = kind, path = part.path, position = tostring(i) }
  elseif kind == "source" and part.spec.kind == "https" then
    local digest = part.spec.sha256
    local path = "fetched/" .. digest:sub(1, 12) .. "/" .. source.name(part.spec.url)
    run.argv[#run.argv + 1] = path
    run.places[#run.places + 1] = { kind = "https", path = path, source = part, digest = digest,
      position = tostring(i) }
  else
    part_fault(run.where, i, "part " .. i .. ": expected text, file, dir or https, got " ..
      check.describe(part))
  end
end

-- What varies in the output and is not compared.
local function check_filters(where, filters)
  for i, filter in pairs(filters or {}) do
    local keys = {}
    for key in pairs(type(filter) == "table" and filter or {}) do keys[#keys + 1] = tostring(key) end
    local shape = table.concat(keys, " ")
    if shape ~= "drop_lines" and shape ~= "regex replace" or type(i) ~= "number" then
      kiln.fail { where = where, callee = "run", path = { "filters", tostring(i) },
        text = "run: filters: expected { drop_lines = GLOB } or { regex = ERE, replace = TEXT }" }
    end
    for _, value in pairs(filter) do
      if type(value) ~= "string" then
        kiln.fail { where = where, callee = "run", path = { "filters", tostring(i) },
          text = "run: filters: expected texts, got " .. check.describe(value) }
      end
    end
  end
end

-- run { bin "gawk", "-f", file "a.awk", weight = 3 }
function workload.run(args)
  local where = check.fields("run", args, {
    name = { "text" }, weight = { "number" }, stdin = { "file" }, exit = { "numbers" },
    env = { "map" }, timeout = { "number" }, inputs = { "table", list = true },
    filters = { "table", list = true },
  }, "part")
  local program = args[1]
  if type(program) ~= "table" or program.type ~= "bin" then
    part_fault(where, 1, "the first part names the program", 'write bin "NAME"')
  end
  local run = {
    type = "run", where = where, bin = program.name, name = args.name, weight = args.weight or 1,
    exit = args.exit, env = args.env, timeout = args.timeout or 1800, filters = args.filters,
    argv = {}, places = {},
  }
  if run.weight < 1 then
    kiln.fail { where = where, callee = "run", path = { "weight" }, text = "run: weight: 1 or more" }
  end
  check_filters(where, args.filters)
  for i = 2, #args do add_part(run, i, args[i]) end
  if args.stdin then
    run.stdin = args.stdin.path
    run.places[#run.places + 1] = { kind = "file", path = args.stdin.path, position = "stdin" }
  end
  for i, part in ipairs(args.inputs or {}) do
    if type(part) ~= "table" or (part.type ~= "file" and part.type ~= "dir") then
      kiln.fail { where = where, callee = "run", path = { "inputs", tostring(i) },
        text = "run: inputs: expected file or dir, got " .. check.describe(part) }
    end
    run.places[#run.places + 1] = { kind = part.type, path = part.path, position = "inputs" }
  end
  return run
end

-- The runs of train or holdout as a list with names: numbers for those that have none.
function workload.list(field, runs, where)
  local list, seen = {}, {}
  for key, run in pairs(runs or {}) do
    if type(run) ~= "table" or run.type ~= "run" then
      kiln.fail { where = where, callee = "release", path = { field, tostring(key) },
        text = field .. ": expected run { … }, got " .. check.describe(run) }
    end
    local name = type(key) == "string" and key or run.name or tostring(key)
    if not name:match("^[%w_][%w_.-]*$") then
      kiln.fail { where = run.where, text = field .. ': "' .. name .. '" is no name for a run',
        note = "letters, digits, _ . -" }
    end
    if seen[name] then
      kiln.fail { where = run.where, text = field .. ': two runs are named "' .. name .. '"' }
    end
    seen[name] = true
    list[#list + 1] = { name = name, run = run, field = field }
  end
  return list
end

-- Checks a list's programs and files; `work` is the release's work folder (or nil).
function workload.resolve(list, bins, work)
  for _, entry in ipairs(list) do
    local run = entry.run
    local known = false
    for _, name in ipairs(bins) do known = known or name == run.bin end
    if not known then
      kiln.fail { where = run.where, callee = "run", path = { "1" },
        text = entry.field .. ': the build makes no program "' .. run.bin .. '"',
        note = check.hint(run.bin, bins) or "it makes: " .. table.concat(bins, ", ") }
    end
    for _, place in ipairs(run.places) do
      if place.kind ~= "https" then
        local fault = not work and "the release has no `work` folder to find it in"
        local path = work and beside(work, place.path)
        local is = path and kiln.stat(path)
        if work and not is then fault = "there is no such file in " .. work.spec.path end
        if is == "folder" and place.kind == "file" then fault = "it is a folder: write dir" end
        if is == "file" and place.kind == "dir" then fault = "it is a file: write file" end
        if fault then
          kiln.fail { where = run.where, callee = "run", path = { place.position },
            text = "run: " .. place.kind .. ' "' .. place.path .. '": ' .. fault }
        end
      end
    end
  end
end

local function below(path, folder)
  return path == folder or path:sub(1, #folder + 1) == folder .. "/"
end

-- The places of a list, each path once, with the run that names it first.
local function distinct(list)
  local all, seen = {}, {}
  for _, entry in ipairs(list) do
    for _, place in ipairs(entry.run.places) do
      if not seen[place.path] then
        seen[place.path] = true
        all[#all + 1] = { place = place, run = entry.run, field = entry.field }
      end
    end
  end
  return all
end

-- The same data in train and holdout would measure what was learnt by heart. Here by name and by
-- pinned digest; once the sources are there their content is compared (workload.declare_data).
function workload.disjoint(train, holdout)
  local trained = distinct(train)
  for _, b in ipairs(distinct(holdout)) do
    for _, a in ipairs(trained) do
      if below(a.place.path, b.place.path) or below(b.place.path, a.place.path)
        or (b.place.digest and b.place.digest == a.place.digest) then
        kiln.fail { where = b.run.where, callee = "run", path = { b.place.position },
          text = '"' .. b.place.path .. '" is both in train (' .. a.run.where .. ': "' ..
            a.place.path .. '") and in holdout',
          note = "hold out data that was not trained on" }
      end
    end
  end
end

-- Says what the runs of a list are given, so that what is held out can be compared by content.
function workload.declare_data(list, ctx)
  for _, item in ipairs(distinct(list)) do
    local place = item.place
    kiln.workload_data { list = item.field, path = place.path, where = item.run.where,
      from = place.source and ctx.fetched(place.source) or ctx.work:at(place.path) }
  end
end

-- The inputs of a run's stages. Files below a folder that is there already are not placed twice.
local function inputs(run, ctx)
  local at, seen = {}, {}
  for _, place in ipairs(run.places) do
    local covered = seen[place.path]
    for _, other in ipairs(run.places) do
      covered = covered or (other.kind == "dir" and other.path ~= place.path
        and below(place.path, other.path))
    end
    if not covered then
      seen[place.path] = true
      local from = place.source and ctx.fetched(place.source) or ctx.work:at(place.path)
      at[#at + 1] = { at = place.path, from = from }
    end
  end
  return at
end

-- Declares the stage of one run. `options` adds to or overrides what every run has.
function workload.stage(kind, ctx, entry, address, binary, options)
  local run = entry.run
  local all = {
    address = address, where = run.where, binary = binary, name = run.bin, argv = run.argv,
    emulator = ctx.target.emulator, stdin = run.stdin, inputs = inputs(run, ctx), env = run.env,
    exit = run.exit, timeout = run.timeout,
  }
  for key, value in pairs(options or {}) do all[key] = value end
  return stage[kind](all)
end

return workload
