kiln.recipe { name = "x", version = "1", license = "MIT", date = 0 }
kiln.target { triple = "t", toolchain = "llvm-19", image = "trixie",
  variants = { "plain", "lto" }, ship = "lto", reference = "plane" }
local made = stage.run { address = "t/plain/x", argv = { "true" }, outputs = { "x" } }
