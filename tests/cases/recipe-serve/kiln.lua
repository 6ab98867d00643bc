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
    serve { bin "tool", 8080, file "train/a.txt", ready = tcp(8080, 5), stop = "INT", exit = { 3 }, run = {
      run { bin "aid", 8080, stdin = file "train/c.txt", env = { A = "b" } },
      run { tool "curl", "-s", "http://127.0.0.1:8080/", tools = { "curl" }, exit = { 22 } },
    } },
  },
  holdout = { serve { bin "tool", ready = tcp(8080), run = run { bin "aid", file "holdout/b.txt" } } },
  optimize = fdo { lto = "thin", pgo = true, bolt = true, ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
