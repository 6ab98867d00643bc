return release {
  api = 1,
  name = "tool",
  version = "1.0",
  license = "MIT",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = make.build { bins = { "tool", "aid" } },
  targets = { "x86_64-unknown-linux-gnu" },
  train = {
    all = run { script "bench/a.sh", file "train/a.txt", tools = { "jq", "python3" } },
    one = run { script "bench/py", bins = { "aid" }, tools = { "jq" }, inputs = { dir "bench" } },
  },
  holdout = { run { script "bench/a.sh", file "holdout/b.txt" } },
  optimize = fdo { lto = "thin", pgo = true, bolt = true, ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
