-- What builders have in common. A builder is a table { type = "build", bins, setup, compile }:
--   bins                       names of the programs it makes
--   packages                   Debian packages that its image needs besides the usual; may be nil
--   setup(ctx)                 declares what all variants of a target share; returns anything
--   compile(ctx, shared, how)  declares one variant's build: how = { kind, address, cflags, ldflags,
--                              profile, late }; returns the programs by name. `late` lists those of
--                              cflags that what configures must not see
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

-- What builders take that configure and build in one stage, in a folder of its own.
build.configured_fields = {
  options = { "map|function" }, targets = { "texts" }, dir = { "text" }, env = { "map" },
  bins = { "texts", required = true, doc = 'which programs are kept: bins = { "tool" }' },
  cflags = { "texts" }, ldflags = { "texts" },
}

-- The options of such a builder as a table. Flags are the variant's own: an option that replaced them
-- would make every variant the same program.
function build.options(what, where, args, ctx, flags)
  local options = args.options
  if type(options) == "function" then options = options(ctx.target) end
  for name in pairs(options or {}) do
    for _, pattern in ipairs(flags) do
      if tostring(name):match(pattern) then
        kiln.fail { where = where, callee = "build", path = { "options" },
          text = what .. ': options: "' .. tostring(name) .. '" would replace the flags of every variant',
          note = "add to them: cflags = { … }, ldflags = { … }" }
      end
    end
  end
  return options or {}
end

-- cflags without those that come late.
function build.early(how)
  local late, early = {}, {}
  for _, flag in ipairs(how.late or {}) do late[flag] = true end
  for _, flag in ipairs(how.cflags) do
    if not late[flag] then early[#early + 1] = flag end
  end
  return early
end

-- For builders that configure and build in one stage: a piece of shell that hands the flags in
-- KILN_LATE to every later call of the compiler. A profile would fail the small programs that
-- configuring tries (their main is not the one that was trained), or change what they say. Clang's
-- driver reads them out of the environment; one that does not is refused, it would build without.
build.hand_late = [[
if [ -n "$KILN_LATE" ]; then
  export CCC_OVERRIDE_OPTIONS="# $KILN_LATE"
  $KILN_CC -### -c -x c /dev/null 2>&1 | grep -q fprofile-instrument || {
    echo "$KILN_CC takes no flags from CCC_OVERRIDE_OPTIONS: this builder needs clang" >&2; exit 1; }
fi
]]

-- The environment of such a stage.
function build.late_env(how, target, targets, env)
  local late = {}
  for i, flag in ipairs(how.late or {}) do late[i] = "+" .. flag end
  local all = { KILN_LATE = table.concat(late, " "), KILN_CC = table.concat(target.cc, " "),
    KILN_TARGETS = table.concat(targets or {}, " ") }
  for name, value in pairs(env or {}) do all[name] = value end
  return all
end

-- Declares a compiling stage over `src` and returns the programs, which it leaves below `folder`
-- (default: the source).
function build.compile(ctx, how, source, argv, names, places, env, folder)
  local outputs = {}
  folder = folder or "src/"
  for _, name in ipairs(names) do
    outputs[#outputs + 1] = { path = folder .. places[name], non_empty = true }
  end
  local made = stage[how.kind] {
    address = how.address, where = ctx.where, argv = argv, outputs = outputs, env = env,
    inputs = { { at = "src", from = source } }, profile = how.profile,
  }
  local bins = {}
  for _, name in ipairs(names) do bins[name] = made:at(folder .. places[name]) end
  return bins
end

return build
