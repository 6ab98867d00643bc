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
  train = { run { bin "tool", file "train/a.txt" } },
  holdout = {
    x = run { bin "tool", file "holdout/b.txt" },
    ["x-again"] = run { bin "tool", "-v", file "holdout/b.txt" },
  },
  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
