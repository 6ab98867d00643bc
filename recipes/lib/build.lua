-- What builders have in common. A builder is a table { type = "build", bins, setup, compile }:
--   bins                       names of the programs it makes
--   packages                   Debian packages that its image needs besides the usual, or a function
--                              of the list of targets that gives them; may be nil
--   setup(ctx)                 declares what all variants of a target share; returns anything
--   compile(ctx, shared, how)  declares one variant's build; returns the programs by name, and with
--                              how.tree the stage with the whole built tree. `how` says what the
--                              variant is, { kind, address, level, lto, counting, profile, relocs },
--                              and the same as flags of a C compiler, { cflags, ldflags, late }:
--                              level = "-O3", lto = "thin" or "full", counting: programs that write a
--                              profile, profile: the one to use, relocs: BOLT comes after; `late`
--                              lists those of cflags that what configures must not see. Plain has no
--                              level and no lto. A builder takes the words or the flags
--   test(ctx, stage, how)      declares the stage that runs the project's tests in that tree; nil
--                              where the recipe wants none. how = { address, bins, compiled }: the
--                              programs as they ship, and the `how` that they were compiled with
-- What its programs are made of besides ctx.source, setup adds to the list ctx.made_of.
-- A recipe may bring its own.
local check = require "kiln.check"

local build = {}

-- A tree as the source of a stage, at src/; the release's own with its deps in it.
function build.inputs(ctx, source)
  local inputs = { { at = "src", from = source } }
  if source == ctx.source then
    for _, dep in ipairs(ctx.deps) do
      inputs[#inputs + 1] = { at = "src/" .. dep.at, from = dep.from }
    end
  end
  return inputs
end

-- make with as many jobs as the machine gives this stage: it finds Kiln's job server in MAKEFLAGS, and
-- shares with all that runs beside it.
build.make = { "make" }

-- ninja is a client of the job server from version 1.13 on, where nobody tells it a number.
build.ninja = [[
jobs=-j${KILN_JOBS:-1}
case ${MAKEFLAGS:-} in *--jobserver-auth=fifo:*)
  case $(ninja --version) in 1.[0-9] | 1.[0-9].* | 1.1[0-2] | 1.1[0-2].*) ;; *) jobs= ;; esac ;;
esac
ninja -C out $jobs $KILN_TARGETS
]]

-- "src/gawk" is the program gawk.
function build.bins(what, where, paths)
  local names, places = {}, {}
  for i, path in ipairs(paths) do
    local name = path:match("[^/]+$")
    local fault = not name and "is no path" or name:find("[^%w._+-]") and "has a sign that no program's name may have"
      or places[name] == path and "is there twice"
      or places[name] and 'is called like "' .. places[name] .. '"'
    if fault then
      kiln.fail { where = where, callee = "build", path = { "bins", tostring(i) },
        text = what .. ': bins: "' .. path .. '" ' .. fault,
        note = name and "letters, digits, . _ + -; and each program has a name of its own" or nil }
    end
    names[#names + 1] = name
    places[name] = path
  end
  if #names == 0 then
    kiln.fail { where = where, callee = "build", path = { "bins" },
      text = what .. ": bins: name at least one program", note = 'as in bins = { "tool" }' }
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
  cflags = { "texts" }, ldflags = { "texts" }, test = { "texts" },
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
function build.late_env(how, target, args, wanted)
  local late = {}
  for i, flag in ipairs(how.late or {}) do late[i] = "+" .. flag end
  local all = { KILN_LATE = table.concat(late, " "), KILN_CC = table.concat(target.cc, " "),
    KILN_TARGETS = table.concat(args.targets or {}, " "), KILN_BINS = wanted }
  for name, value in pairs(args.env or {}) do all[name] = value end
  return all
end

-- For builders with a build folder of their own (out/): a program named without a folder is looked for
-- there and copied to bin/. A piece of shell for behind the build.
build.gather = [[
programs() { find out -type f -perm -u+x ! -path '*/CMakeFiles/*' ! -path '*/meson-*' "$@"; }
for name in $KILN_BINS; do
  found=$(programs -name "$name" -exec cksum {} + | sort -k1,2 -u | cut -d' ' -f3-)
  case $found in
  "") echo "the build made no program \"$name\"; it made:" >&2
    programs | sed 's|^out/|  |' >&2; exit 1 ;;
  *"
"*) echo "several programs are called \"$name\"; name the one in bins by its path:" >&2
    printf '%s\n' "$found" | sed 's|^out/|  |' >&2; exit 1 ;;
  esac
  mkdir -p bin
  cp "$found" "bin/$name"
done
]]

-- Where such a builder's programs lie: bin/NAME for those that are looked for. Returns places by name,
-- and the names to look for as one text.
function build.gathered(names, places)
  local at, wanted = {}, {}
  for _, name in ipairs(names) do
    local plain = places[name] == name
    at[name] = plain and "bin/" .. name or "out/" .. places[name]
    if plain then wanted[#wanted + 1] = name end
  end
  return at, table.concat(wanted, " ")
end

-- The stage that runs a project's own tests over the programs as they ship: they are put to their
-- places in the built tree first, newer than all that could want to make them again.
local testing = [[
for name in $KILN_BINS; do
  place=$1; shift
  for file in ${place:-$(find out -type f -perm -u+x -name "$name")}; do
    cat "bins/$name" >"$file"
  done
done
exec "$@"]]

-- Places below a folder.
function build.under(folder, places)
  local at = {}
  for name, place in pairs(places) do at[name] = folder .. place end
  return at
end

-- `spec.places`: of a program that was looked for, "".
function build.test(ctx, how, spec)
  local argv = { "/bin/sh", "-euc", testing, "test" }
  local inputs, env = {}, { KILN_BINS = table.concat(spec.names, " ") }
  for _, input in ipairs(spec.inputs) do inputs[#inputs + 1] = input end
  for _, name in ipairs(spec.names) do
    argv[#argv + 1] = spec.places[name]
    inputs[#inputs + 1] = { at = "bins/" .. name, from = how.bins[name] }
  end
  for name, value in pairs(spec.env or {}) do env[name] = value end
  return stage.run {
    address = how.address, where = ctx.where, argv = check.join(argv, spec.argv), env = env,
    inputs = inputs, outputs = {}, timeout = 7200,
  }
end

-- Declares a compiling stage over `src` and returns the programs, which it leaves below `folder`
-- Declares a compiling stage and returns the programs, and the stage where how.tree asks for its whole
-- tree. spec: source (it lies at src), argv, names, places, env; folder: where the programs lie (default:
-- the source); trees: what makes the whole tree (default: src); inputs: further ones; workdir.
function build.compile(ctx, how, spec)
  local outputs, folder = {}, spec.folder or "src/"
  local trees = how.tree and (spec.trees or { "src" }) or {}
  for _, tree in ipairs(trees) do
    outputs[#outputs + 1] = { path = tree, exclude = { "config.log" } }
  end
  for _, name in ipairs(spec.names) do
    local place, inside = folder .. spec.places[name], false
    for _, tree in ipairs(trees) do inside = inside or place:sub(1, #tree + 1) == tree .. "/" end
    if not inside then outputs[#outputs + 1] = { path = place, non_empty = true } end
  end
  local made = stage[how.kind] {
    address = how.address, where = ctx.where, argv = spec.argv, outputs = outputs, env = spec.env,
    inputs = check.join(build.inputs(ctx, spec.source), spec.inputs), workdir = spec.workdir,
    profile = how.profile,
  }
  local bins = {}
  for _, name in ipairs(spec.names) do bins[name] = made:at(folder .. spec.places[name]) end
  return bins, made
end

return build
