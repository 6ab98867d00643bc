return release {
  api = 1,
  name = "tool",
  version = read "VERSION",
  license = "MIT",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = make.build { bins = { "tool" } },
  targets = { "x86_64-unknown-linux-gnu" },
  packages = { archive { "tar.gz" } },
}
