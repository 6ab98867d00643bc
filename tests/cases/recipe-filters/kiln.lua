return release {
  api = 1,
  name = "tool",
  version = "1.0",
  license = "MIT",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = make.build { bins = { "tool" } },
  targets = { "x86_64-unknown-linux-gnu" },
  holdout = { run { bin "tool", file "holdout/b.txt", filters = { { drop_lines = "took *" }, { regex = "0x[0-9a-f]+", replace = "X" } } } },
  optimize = fdo { lto = "thin", ship = "lto" },
  packages = { archive { "tar.gz" } },
}
