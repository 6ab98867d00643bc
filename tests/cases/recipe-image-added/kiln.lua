return release {
  api = 1,
  name = "tool",
  version = "1.0",
  license = "MIT",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = cmake.build { bins = { "tool" } },
  targets = { "x86_64-unknown-linux-gnu" },
  add = { "libfoo-dev" },
  packages = { archive { "tar.gz" } },
}
