local one = https { url = "https://a.example/one/data.txt?x=/y", sha256 = ("1"):rep(64) }
local two = https { url = "https://a.example/two/data.txt", sha256 = ("2"):rep(64) }
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
  train = { run { bin "tool", one } },
  holdout = { run { bin "tool", https { url = "https://b.example/other", sha256 = ("1"):rep(64) } } },
  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
