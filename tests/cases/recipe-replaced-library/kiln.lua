-- A project's own pipeline in place of a part of the standard one.
local mine = require "pipelines.mine"
return release {
  api = 1, name = "tool", version = "1", license = "MIT", date = 0, source = folder "src",
  build = mine.build {}, targets = { "x86_64-unknown-linux-gnu" }, packages = { archive { "tar.gz" } },
}
