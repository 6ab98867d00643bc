return release {
  api = 1,
  name = option("name", "tool"),
  version = read "VERSION",
  license = "MIT",
  source = checkout { exclude = { "docs/**" } },
  work = folder "work",
  build = make.build { bins = { "tool" } },
  targets = { "x86_64-unknown-linux-gnu" },
  packages = { archive { "tar.gz" } },
}
