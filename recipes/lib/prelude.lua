-- The names that every recipe finds without `require`. Each comes from a module that a recipe can
-- read, and replace by one of its own.
local source = require "kiln.source"
local workload = require "kiln.workload"
local serve = require "kiln.serve"
local package = require "kiln.package"

return {
  release = require("kiln.release").release,
  fdo = require("kiln.fdo").fdo,
  autotools = require "kiln.autotools",
  make = require "kiln.make",
  cmake = require "kiln.cmake",
  meson = require "kiln.meson",
  cargo = require "kiln.cargo",
  debian = source.debian,
  folder = source.folder,
  checkout = source.checkout,
  git = { version = source.git_version },
  read = source.read,
  option = kiln.option,
  https = source.https,
  run = workload.run,
  serve = serve.serve,
  tcp = serve.tcp,
  bin = workload.bin,
  script = workload.script,
  tool = workload.tool,
  file = workload.file,
  dir = workload.dir,
  archive = package.archive,
  deb = package.deb,
}
