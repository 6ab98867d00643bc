-- GNU awk, from Debian's source package as upstream released it.
local orders = file "train/data/orders.csv"
local access = file "train/data/access.log"
local prose = file "train/data/prose.txt"
local inventory = file "holdout/data/inventory.json"
local settings = file "holdout/data/settings.ini"
local trace = file "holdout/data/trace.txt"

-- A run over the same data several times: long enough to measure, small enough to read.
local function awk(program, data, times)
  local args = { bin "gawk", "-f", file(program) }
  for _ = 1, times or 0 do args[#args + 1] = data end
  return run(args)
end

-- What configure finds out by running programs, and cannot when it cross-compiles.
local function configure(target)
  local options = { "--disable-nls", "--without-readline", "--disable-mpfr", "--disable-extensions",
    "--disable-pma" }
  if target.cross then
    options[#options + 1] = "ac_cv_func_working_mktime=yes"
    options[#options + 1] = "CPPFLAGS=-DPRINTF_HAS_F_FORMAT=1 -DPRINTF_HAS_A_FORMAT=1"
  end
  return options
end

return release {
  api = 1,
  name = "gawk",
  license = "GPL-3.0-or-later",
  summary = "GNU awk, a pattern scanning and processing language",
  homepage = "https://www.gnu.org/software/gawk/",
  source = debian.source {
    name = "gawk",
    version = "1:5.2.1-2",
    dsc = "sha256:1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e",
    patches = false,
  },
  work = folder "gawk",
  build = autotools.build {
    configure = configure,
    make = { "all", "SUBDIRS=support ." },
    bins = { "gawk" },
    -- What make does not look at: most of 2,000 files.
    exclude = { "test/[a-z0-9]*", "doc/[a-z0-9]*", "vms", "README_d" },
  },
  targets = { "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu" },
  train = {
    orders = run { bin "gawk", "-F,", "-f", file "train/orders.awk", orders, orders, orders, orders, orders },
    access = awk("train/access.awk", access, 2),
    prose = awk("train/prose.awk", prose, 5),
    compute = awk "train/compute.awk",
    edit = run { bin "gawk", "-F", "[ ,]+", "-f", file "train/edit.awk", prose, access, prose, orders },
    filter = run { bin "gawk", "-f", file "train/edit.awk", stdin = access },
  },
  holdout = {
    json = awk("holdout/json.awk", inventory, 10),
    settings = awk("holdout/settings.awk", settings, 20),
    calls = awk("holdout/calls.awk", trace, 25),
    puzzles = awk "holdout/puzzles.awk",
  },
  -- Of about 780 functions: a profile of much less is not one of this program.
  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt", functions = 600 },
  files = { "COPYING", "README", man = { "doc/gawk.1" } },
  packages = {
    archive { "tar.xz" },
    deb {
      maintainer = "Kiln <kiln@example.org>",
      section = "interpreters",
      depends = { "libc6 (>= 2.38)" },
    },
  },
}
