kiln.recipe { name = "x", version = "1", license = "MIT", date = 0 }
kiln.target { triple = "t", toolchain = "llvm-19", image = "trixie",
  variants = { "plain", "lto" }, ship = "lto", reference = "plain" }
local made = stage.run { address = "t/plain/x", argv = { "true" }, outputs = { "x" } }
kiln.profile { id = "t/pgo", target = "u", kind = "pgo", from = made:at "x", sources = {} }
