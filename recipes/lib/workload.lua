-- Workloads: runs of the programs that train a profile or hold it to its promise. A run is a command
-- line whose parts are texts and files; the files are placed in the run's work folder at the path
-- they have in the release's `work` folder, those from the web as fetched/DIGEST/NAME.
local check = require "kiln.check"
local source = require "kiln.source"

local workload = {}

-- What is run: a program of the build, a script of the work folder that runs them, or (of what is run
-- against a server) a program of the image. The first part of a run.
function workload.bin(name)
  if type(name) ~= "string" then
    kiln.fail { text = "bin: expected a program's name, got " .. check.describe(name),
      note = 'as in bin "tool", one of those that the build makes' }
  end
  return { type = "bin", name = name }
end

function workload.tool(name)
  if type(name) ~= "string" or name == "" or name:match("[/%s]") then
    kiln.fail { text = "tool: expected the name of a program of the image, got " .. check.describe(name),
      note = 'as in tool "python3"' }
  end
  return { type = "tool", name = name }
end

-- A path of the work folder as a path beside the recipe.
local function beside(work, path)
  return work.spec.path == "." and path or work.spec.path .. "/" .. path
end

-- PATH, or { PATH, shared = true } for what training and held-out runs may both have.
local function placed(kind, args)
  local path, shared = args, false
  if type(args) == "table" then
    check.fields(kind, args, { shared = { "boolean" } }, "part")
    path, shared = args[1], args.shared or false
  end
  if type(path) ~= "string" or type(args) == "table" and #args ~= 1 then
    kiln.fail { text = kind .. ": expected one path in the release's work folder",
      note = "as in " .. kind .. ' "train/data"' }
  end
  if path == "" or path:sub(1, 1) == "/" or ("/" .. path .. "/"):match("/%.?%.?/") then
    kiln.fail { text = kind .. ': "' .. path .. '" is no path below the work folder',
      note = 'write it as in "train/data.txt"' }
  end
  return { type = kind, path = path, shared = shared }
end

function workload.file(path) return placed("file", path) end
function workload.dir(path) return placed("dir", path) end
function workload.script(path) return placed("script", path) end

-- Something that lies in the work folder while the run runs; `at` leads to it in the recipe.
local function add_place(run, part, at)
  run.places[#run.places + 1] = { kind = part.type, path = part.path, at = at,
    where = run.where, callee = run.callee, shared = part.shared or part.type == "script" }
end

local function part_fault(run, i, text, note)
  kiln.fail { where = run.where, callee = run.callee, path = run.at(i),
    text = run.callee .. ": " .. text, note = note }
end

-- One part of a command line: its text, and what it needs in the work folder.
local function add_part(run, i, part)
  local kind = type(part) == "table" and part.type
  if type(part) == "string" or math.type(part) == "integer" then
    run.argv[#run.argv + 1] = tostring(part)
  elseif kind == "file" or kind == "dir" then
    run.argv[#run.argv + 1] = part.path
    add_place(run, part, run.at(i))
  elseif kind == "source" and part.spec.kind == "https" then
    local digest = part.spec.sha256
    local path = "fetched/" .. digest:sub(1, 12) .. "/" .. source.name(part.spec.url)
    run.argv[#run.argv + 1] = path
    run.places[#run.places + 1] = { kind = "https", path = path, source = part, digest = digest,
      at = run.at(i), where = run.where, callee = run.callee }
  else
    part_fault(run, i, "part " .. i .. ": expected text, file, dir or https, got " ..
      check.describe(part))
  end
end

-- What is run, and its arguments.
local function add_command(run, args, also_tool)
  local first = args[1]
  local kind = type(first) == "table" and first.type
  if kind ~= "bin" and kind ~= "script" and not (also_tool and kind == "tool") then
    part_fault(run, 1, "the first part names the program", 'write bin "NAME" or script "PATH"')
  end
  run.kind, run.command = kind, first.name or first.path
  if kind == "script" then add_place(run, first, run.at(1)) end
  for i = 2, #args do add_part(run, i, args[i]) end
end

local function add_inputs(run, stdin, inputs)
  if stdin then
    run.stdin = stdin.path
    add_place(run, stdin, run.at "stdin")
  end
  for i, part in ipairs(inputs or {}) do
    if type(part) ~= "table" or (part.type ~= "file" and part.type ~= "dir") then
      kiln.fail { where = run.where, callee = run.callee, path = { "inputs", tostring(i) },
        text = run.callee .. ": inputs: expected file or dir, got " .. check.describe(part) }
    end
    add_place(run, part, { "inputs", tostring(i) })
  end
end

-- What varies in the output and is not compared.
local function check_filters(run, filters)
  local function fault(i, text, note)
    kiln.fail { where = run.where, callee = run.callee, path = { "filters", tostring(i) },
      text = run.callee .. ": filters: " .. text, note = note }
  end
  for i, filter in pairs(filters or {}) do
    local keys = {}
    for key in pairs(type(filter) == "table" and filter or {}) do keys[#keys + 1] = tostring(key) end
    local shape = table.concat(keys, " ")
    if shape ~= "drop_lines" and shape ~= "regex replace" or type(i) ~= "number" then
      fault(i, "expected { drop_lines = GLOB } or { regex = ERE, replace = TEXT }")
    end
    for _, value in pairs(filter) do
      if type(value) ~= "string" then fault(i, "expected texts, got " .. check.describe(value)) end
    end
    local wrong = filter.regex and kiln.regex(filter.regex)
    if wrong then
      fault(i, '"' .. filter.regex .. '" is no extended regular expression: ' .. wrong,
        "in Lua a backslash is written twice, or the text as [[…]]")
    end
  end
end

local function check_exit(run, codes)
  for i, code in ipairs(codes or {}) do
    if code < 0 or code > 255 then
      kiln.fail { where = run.where, callee = run.callee, path = { "exit", tostring(i) },
        text = run.callee .. ": exit: " .. code .. " is no exit code: they are 0 to 255" }
    end
  end
end

local function check_env(run, env)
  for name in pairs(env or {}) do
    if name == "" or name:find("=", 1, true) then
      kiln.fail { where = run.where, callee = run.callee, path = { "env", name },
        text = run.callee .. ': env: "' .. name .. '" is no name of an environment variable' }
    end
  end
end

local own_fields = {
  name = { "text" }, weight = { "number" }, exit = { "numbers" }, env = { "map" },
  timeout = { "number" }, inputs = { "table", list = true }, filters = { "table", list = true },
  bins = { "texts" }, tools = { "texts" },
}

local function own_place(i) return { tostring(i) } end

-- What run { … } and serve { … } have in common. `more` are the fields that one has besides; `at` says
-- where in the recipe a part stands, or stdin.
function workload.begin(callee, args, more, also_tool, at)
  local spec = {}
  for name, field in pairs(own_fields) do spec[name] = field end
  for name, field in pairs(more) do spec[name] = field end
  local run = { type = "run", callee = callee, argv = {}, places = {}, args = args, at = at or own_place,
    where = check.fields(callee, args, spec, "part") }
  for name in pairs(own_fields) do run[name] = args[name] end
  run.weight, run.timeout = run.weight or 1, run.timeout or 1800
  for _, field in ipairs { "weight", "timeout" } do
    if run[field] == 0 then
      kiln.fail { where = run.where, callee = callee, path = { field },
        text = callee .. ": " .. field .. ": expected 1 or more, got 0" }
    end
  end
  check_exit(run, args.exit)
  check_env(run, args.env)
  check_filters(run, args.filters)
  add_command(run, args, also_tool)
  if run.bins and run.kind == "bin" and callee == "run" then
    kiln.fail { where = run.where, callee = callee, path = { "bins" },
      text = "run: bins: it says which programs a script runs, and this runs one" }
  end
  add_inputs(run, args.stdin, args.inputs)
  return run
end

local function single(args, at)
  return workload.begin("run", args, { stdin = { "file" }, cases = { "table", named = true } }, true, at)
end

-- One of a run's cases: the run with further parts, and what the case says itself.
local function case_of(run, name, given)
  local case = given
  if type(case) ~= "table" or case.type then case = { case } end
  check.fields("cases", case, {
    weight = { "number" }, stdin = { "file" }, exit = { "numbers" }, filters = { "table", list = true },
  }, "part")
  local args, own = {}, #run.args
  for key, value in pairs(run.args) do args[key] = value end
  for _, part in ipairs(case) do args[#args + 1] = part end
  for _, field in ipairs { "weight", "stdin", "exit", "filters" } do
    if case[field] ~= nil then args[field] = case[field] end
  end
  args.cases, args.name = nil, nil
  local one = single(args, function(i)
    local here = i == "stdin" and case.stdin or type(i) == "number" and i > own
    if here and case ~= given then return { "cases", name } end
    return here and { "cases", name, i == "stdin" and i or tostring(i - own) } or own_place(i)
  end)
  one.case = name
  return one
end

-- run { bin "gawk", "-f", file "a.awk", weight = 3 }
function workload.run(args)
  local run = single(args)
  for name, case in pairs(args.cases or {}) do
    run.cases = run.cases or {}
    run.cases[#run.cases + 1] = case_of(run, tostring(name), case)
  end
  if args.cases and not run.cases then
    kiln.fail { where = run.where, callee = "run", path = { "cases" }, text = "run: cases: name at least one" }
  end
  return run
end

-- The runs of train or holdout as a list with names: numbers for those that have none. A run with
-- cases is one for each, NAME-CASE.
function workload.list(field, runs, where)
  local list, seen = {}, {}
  local function add(name, run)
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
  for key, run in pairs(runs or {}) do
    if type(run) ~= "table" or run.type ~= "run" then
      kiln.fail { where = where, callee = "release", path = { field, tostring(key) },
        text = field .. ": expected run { … } or serve { … }, got " .. check.describe(run) }
    end
    if run.kind == "tool" then
      kiln.fail { where = run.where, callee = "run", path = { "1" },
        text = field .. ': tool "' .. run.command .. '" is no program of the build',
        note = "a tool is run against a server: serve { bin …, run = run { tool … } }" }
    end
    local name = type(key) == "string" and key or run.name or tostring(key)
    for _, one in ipairs(run.cases or {}) do add(name .. "-" .. one.case, one) end
    if not run.cases then add(name, run) end
  end
  return list
end

local function check_program(run, field, path, name, bins)
  for _, known in ipairs(bins) do
    if known == name then return end
  end
  kiln.fail { where = run.where, callee = run.callee, path = path,
    text = field .. ': the build makes no program "' .. name .. '"',
    note = check.hint(name, bins, "it makes: " .. table.concat(bins, ", ")) }
end

-- A script must be fit to be run: what git and the file system say of it, and its first line.
local function check_script(place, path)
  local function fault(text, note)
    kiln.fail { where = place.where, callee = place.callee, path = place.at,
      text = place.callee .. ': script "' .. place.path .. '" ' .. text, note = note }
  end
  local executable, interpreter = kiln.script(path)
  if not executable then
    fault("is not executable", "chmod +x " .. path .. "   (in git also: git update-index --chmod=+x " ..
      path .. ")")
  end
  if not interpreter then
    fault("does not begin with the program that reads it", "its first line is like #!/bin/sh")
  end
  place.interpreter = interpreter
end

local function check_place(place, work)
  if place.kind == "https" then return end
  local fault = not work and "the release has no `work` folder to find it in" or nil
  local path = work and beside(work, place.path)
  local is = path and kiln.stat(path)
  if work and not is then fault = "there is no such file in " .. work.spec.path end
  if is == "folder" and place.kind ~= "dir" then
    fault = place.kind == "file" and "it is a folder: write dir" or "it is a folder"
  end
  if is == "file" and place.kind == "dir" then fault = "it is a file: write file" end
  if fault then
    kiln.fail { where = place.where, callee = place.callee, path = place.at,
      text = place.callee .. ": " .. place.kind .. ' "' .. place.path .. '": ' .. fault }
  end
  if place.kind == "script" then check_script(place, path) end
end

-- Which programs of the build a run may run: its own, those it lists, or for a script all of them.
local function bins_of(run, field, bins)
  if run.kind == "bin" then check_program(run, field, { "1" }, run.command, bins) end
  for i, name in ipairs(run.bins or {}) do check_program(run, field, { "bins", tostring(i) }, name, bins) end
  local all = {}
  if run.kind == "bin" then all[run.command] = true end
  for _, name in ipairs(run.bins or (run.kind == "script" and bins or {})) do all[name] = true end
  for _, client in ipairs(run.serve and run.serve.clients or {}) do
    for _, name in ipairs(bins_of(client, field, bins)) do all[name] = true end
  end
  local list = {}
  for _, name in ipairs(bins) do
    if all[name] then list[#list + 1] = name end
  end
  return list
end

-- Checks a list's programs and files; `work` is the release's work folder (or nil).
function workload.resolve(list, bins, work)
  for _, entry in ipairs(list) do
    entry.bins = bins_of(entry.run, entry.field, bins)
    for _, place in ipairs(entry.run.places) do check_place(place, work) end
  end
end

-- The Debian packages that scripts need, each once.
function workload.tools(...)
  local all, seen = {}, {}
  for _, list in ipairs { ... } do
    for _, entry in ipairs(list) do
      for _, name in ipairs(entry.run.tools or {}) do
        if not seen[name] then all[#all + 1] = name end
        seen[name] = true
      end
    end
  end
  return all
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
      if a.place.shared or b.place.shared then goto continue end
      if below(a.place.path, b.place.path) or below(b.place.path, a.place.path)
        or (b.place.digest and b.place.digest == a.place.digest) then
        kiln.fail { where = b.place.where, callee = b.place.callee, path = b.place.at,
          text = '"' .. b.place.path .. '" is both in train (' .. a.place.where .. ': "' ..
            a.place.path .. '") and in holdout',
          note = "hold out data that was not trained on" .. (b.place.digest and "" or
            "; what is no data is " .. b.place.kind .. ' { "PATH", shared = true }') }
      end
      ::continue::
    end
  end
end

-- Says what the runs of a list are given, so that what is held out can be compared by content.
function workload.declare_data(list, ctx)
  for _, item in ipairs(distinct(list)) do
    local place = item.place
    kiln.workload_data { list = item.field, path = place.path, where = place.where, shared = place.shared,
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

-- A command as a stage takes it: { name | script | command, argv, stdin, interpreter }.
local function command_of(run)
  local key = run.kind == "bin" and "name" or run.kind == "script" and "script" or "command"
  local command = { argv = run.argv, stdin = run.stdin }
  command[key] = run.command
  for _, place in ipairs(run.kind == "script" and run.places or {}) do
    if place.kind == "script" and place.path == run.command then
      command.interpreter = place.interpreter
    end
  end
  return command
end

-- The server's side of a stage.
local function serve_of(run)
  if not run.serve then return nil end
  local clients = {}
  for i, client in ipairs(run.serve.clients) do
    clients[i] = command_of(client)
    clients[i].env, clients[i].exit = client.env, client.exit
  end
  return { port = run.serve.port, ready = run.serve.ready, stop = run.serve.stop, exit = run.exit,
    clients = clients }
end

-- Declares the stage of one run. `programs` are those of the build by name; `options` adds to or
-- overrides what every run has.
function workload.stage(kind, ctx, entry, address, programs, options)
  local run = entry.run
  local all = command_of(run)
  all.address, all.where, all.inputs = address, run.where, inputs(run, ctx)
  all.emulator, all.env, all.timeout = ctx.target.emulator, run.env, run.timeout
  all.serve = serve_of(run)
  if not run.serve then all.exit = run.exit end
  if run.kind == "bin" and not run.serve then
    all.binary = programs[run.command]
  else
    all.programs = {}
    for i, name in ipairs(ctx.build.bins) do all.programs[i] = { name = name, from = programs[name] } end
  end
  for key, value in pairs(options or {}) do all[key] = value end
  return stage[kind](all)
end

return workload
