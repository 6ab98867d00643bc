-- meson.build { … }: Meson with Ninja. As with CMake flags are a part of what it configures: each
-- variant is configured and built in one stage, all in the same folders.
local check = require "kiln.check"
local build = require "kiln.build"

local meson = {}

-- The machine file says which tools, the options which flags; both kinds of file are read alike.
local script = [[
src=$1 kind=$2; shift 2
printf '%s' "$1" >machine.ini; shift
meson setup "$kind" machine.ini --buildtype=plain --wrap-mode=nodownload "$@" out "$src"
]] .. build.hand_late .. build.ninja .. build.gather

local function words(list)
  local quoted = {}
  for i, word in ipairs(list) do quoted[i] = "'" .. word:gsub("\\", "\\\\"):gsub("'", "\\'") .. "'" end
  return "[" .. table.concat(quoted, ", ") .. "]"
end

-- What Meson asks of a machine; the target's own tools in front of the build machine's.
local function machine(target)
  local lines = {
    "[binaries]", "c = " .. words(target.cc), "cpp = " .. words(target.cxx),
    "ar = " .. words { target.tools.ar }, "nm = " .. words { target.tools.nm },
    "strip = " .. words { target.tools.strip },
  }
  if target.cross then
    local cpu = target.arch:match("^i%d86$") and "x86" or target.arch
    lines = check.join(lines, {
      "exe_wrapper = " .. words(target.emulator), "[host_machine]", "system = " .. words { target.os }:sub(2, -2),
      "cpu_family = '" .. cpu .. "'", "cpu = '" .. target.arch .. "'", "endian = 'little'",
    })
  end
  return table.concat(lines, "\n") .. "\n"
end

-- options: a table by name, or a function of the target that gives one. targets: what ninja builds;
-- default: all. dir: where meson.build lies. bins: programs by their path in the build folder, or by name alone.
function meson.build(args)
  local where = check.fields("meson.build", args, build.configured_fields)
  local names, paths = build.bins("meson.build", where, args.bins)
  local self = { type = "build", where = where, bins = names,
    packages = { "meson", "ninja-build", "pkgconf" } }
  local places, wanted = build.gathered(names, paths)
  local folder = args.dir and "src/" .. args.dir or "src"

  function self.setup(ctx) return ctx.source end

  function self.compile(ctx, source, how)
    local target = ctx.target
    local flags = words(check.join(build.early(how), args.cflags))
    local link = words(check.join(target.link_flags, how.ldflags, build.early(how), args.ldflags))
    local options = build.options("meson.build", where, args, ctx,
      { "^c_args$", "^cpp_args$", "^c_link_args$", "^cpp_link_args$", "^buildtype$", "^optimization$" })
    local argv = { "/bin/sh", "-euc", script, "sh", folder,
      target.cross and "--cross-file" or "--native-file", machine(target),
      "-Dc_args=" .. flags, "-Dcpp_args=" .. flags, "-Dc_link_args=" .. link, "-Dcpp_link_args=" .. link }
    for name, value in pairs(options) do argv[#argv + 1] = "-D" .. name .. "=" .. tostring(value) end
    local env = build.late_env(how, target, args, wanted)
    return build.compile(ctx, how, {
      source = source, argv = argv, names = names, places = places, env = env, folder = "",
      trees = { "out" },
    })
  end

  if args.test then
    function self.test(ctx, made, how)
      local at = {}
      for _, name in ipairs(names) do at[name] = paths[name] == name and "" or places[name] end
      return build.test(ctx, how, { names = names, places = at, env = args.env,
        inputs = check.join(build.inputs(ctx, ctx.source), { { at = "out", from = made:at "out" } }),
        argv = check.join({ "meson", "test", "-C", "out", "--no-rebuild", "--print-errorlogs" }, args.test) })
    end
  end

  return self
end

return meson
