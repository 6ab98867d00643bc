-- A small program through the whole pipeline: for quick tests, and as the first recipe to read.
local sample = file "train/letters.txt"
local listing = file "holdout/listing.txt"

return release {
  api = 1,
  name = "hello",
  version = "1.0",
  license = "Apache-2.0",
  summary = "counts letters, lines and words",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = make.build { args = { "hello" }, bins = { "hello" } },
  targets = { "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu" },
  train = {
    all = run { bin "hello", sample, sample, sample, sample, sample },
    top = run { bin "hello", "-n", 20, stdin = sample },
  },
  holdout = {
    few = run { bin "hello", "-n", 3, listing, listing, listing },
  },
  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
  files = { "COPYING" },
  packages = { archive { "tar.zst" }, deb { maintainer = "Kiln <kiln@example.org>", depends = { "libc6 (>= 2.34)" } } },
}
