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
  train = {
    count = run { bin "tool", "-c", weight = 2, timeout = 60, cases = {
      large = { "-l", file "train/a.txt", weight = 7, exit = { 1 } },
      small = file "train/c.txt",
    } },
  },
  holdout = { run { bin "tool", cases = { file "holdout/b.txt" } } },
  optimize = fdo { lto = "thin", pgo = true, bolt = true, ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
