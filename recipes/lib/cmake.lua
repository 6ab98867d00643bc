-- cmake.build { … }: CMake with Ninja. Flags are a part of what CMake configures, so each variant is
-- configured and built in one stage; all of them in the same folders, since paths reach programs and
-- profiles.
local check = require "kiln.check"
local build = require "kiln.build"

local cmake = {}

-- Configures below /build/out and builds there. CMake wants the tools' whole paths.
local script = [[
src=$1 ar=$(command -v "$2") ranlib=$(command -v "$3"); shift 3
cmake -S "$src" -B out -G Ninja -DCMAKE_AR="$ar" -DCMAKE_RANLIB="$ranlib" "$@"
]] .. build.hand_late .. build.ninja .. build.gather

-- options: a table of cache variables by name, or a function of the target that gives one.
-- targets: what ninja builds; default: all. dir: where CMakeLists.txt lies. bins: programs by their
-- path in the build folder, or by name alone.
function cmake.build(args)
  local where = check.fields("cmake.build", args, build.configured_fields)
  local names, paths = build.bins("cmake.build", where, args.bins)
  local self = { type = "build", where = where, bins = names, packages = { "cmake", "ninja-build" } }
  local places, wanted = build.gathered(names, paths)
  local folder = args.dir and "src/" .. args.dir or "src"

  function self.setup(ctx) return ctx.source end

  function self.compile(ctx, source, how)
    local target = ctx.target
    local flags = table.concat(check.join(build.early(how), args.cflags), " ")
    local link = table.concat(check.join(target.link_flags, how.ldflags, args.ldflags), " ")
    -- The first word is the compiler, what follows goes with every call of it.
    local function compiler(words)
      return words[1], table.concat({ table.unpack(words, 2) }, " ")
    end
    local cc, cc_flags = compiler(target.cc)
    local cxx, cxx_flags = compiler(target.cxx)
    local options = build.options("cmake.build", where, args, ctx,
      { "^CMAKE_C_FLAGS", "^CMAKE_CXX_FLAGS", "^CMAKE_EXE_LINKER_FLAGS", "^CMAKE_BUILD_TYPE$" })
    local cache = {
      CMAKE_BUILD_TYPE = "None", CMAKE_C_COMPILER = cc, CMAKE_CXX_COMPILER = cxx,
      CMAKE_C_FLAGS = (cc_flags .. " " .. flags):gsub("^ ", ""),
      CMAKE_CXX_FLAGS = (cxx_flags .. " " .. flags):gsub("^ ", ""),
      CMAKE_EXE_LINKER_FLAGS = link, CMAKE_SKIP_RPATH = "ON",
    }
    if target.cross then
      cache.CMAKE_SYSTEM_NAME, cache.CMAKE_SYSTEM_PROCESSOR = "Linux", target.arch
    end
    for name, value in pairs(options) do cache[name] = tostring(value) end
    local argv = { "/bin/sh", "-euc", script, "sh", folder, target.tools.ar, target.tools.ranlib }
    for name, value in pairs(cache) do argv[#argv + 1] = "-D" .. name .. "=" .. value end
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
        argv = check.join({ "ctest", "--test-dir", "out", "--output-on-failure" }, args.test) })
    end
  end

  return self
end

return cmake
