local pkg = cargo.manifest "crates/cli"
return release {
  api = 1, name = pkg.name, version = pkg.version, license = pkg.license, date = 0,
  source = folder "src", build = make.build { bins = pkg.bins },
  targets = { "x86_64-unknown-linux-gnu" }, packages = { archive { "tar.gz" } },
}
