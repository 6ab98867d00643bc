-- The Lua interpreter, from Debian's source package as upstream released it. Its Makefile has no
-- configure; flags go where it takes them from.
local function variables(target, how)
  return {
    CC = table.concat(target.cc, " "),
    AR = target.tools.ar .. " rc",
    RANLIB = target.tools.ranlib,
    CFLAGS = "-std=gnu99 -DLUA_COMPAT_5_3 -DLUA_USE_LINUX " .. how.cflags,
    LDFLAGS = how.ldflags .. " " .. how.cflags,
    LIBS = "-lm -Wl,-E",
  }
end

return release {
  api = 1,
  name = "lua",
  license = "MIT",
  summary = "the Lua programming language's interpreter",
  homepage = "https://www.lua.org/",
  source = debian.source {
    name = "lua5.4",
    version = "5.4.7-1",
    dsc = "sha256:40b41bc566ac7246d748a954573ca9b10afa015112541f8d957bd41d8a56f767",
    patches = false,
  },
  work = folder "lua",
  -- Only lua: luac's main would be looked up under the same name in lua's profile.
  build = make.build { dir = "src", args = { "lua" }, variables = variables, bins = { "src/lua" } },
  targets = { "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu" },
  train = {
    sorting = run { bin "lua", file "train/sorting.lua" },
    strings = run { bin "lua", file "train/strings.lua", file "train/notes.txt" },
    objects = run { bin "lua", file "train/objects.lua" },
    numbers = run { bin "lua", file "train/numbers.lua", 2 },
    dispatch = run { bin "lua", file "train/dispatch.lua" },
  },
  holdout = {
    json = run { bin "lua", file "holdout/json.lua" },
    machine = run { bin "lua", file "holdout/machine.lua" },
    puzzles = run { bin "lua", file "holdout/puzzles.lua" },
  },
  optimize = fdo {
    lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt",
    -- Of about 720 functions: a profile of much less is not one of this program.
    functions = 600,
    -- BOLT 19 cannot move the interpreter's loop: computed goto in a PIE.
    bolt_skip = { "luaV_execute.*" },
  },
  -- The licence stands in the readme.
  files = { "doc/readme.html", "README", man = { "doc/lua.1" } },
  packages = {
    archive { "tar.xz" },
    deb {
      maintainer = "Kiln <kiln@example.org>",
      section = "interpreters",
      depends = { "libc6 (>= 2.38)" },
    },
  },
}
