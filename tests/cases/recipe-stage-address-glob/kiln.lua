kiln.recipe { name = "x", version = "1", license = "MIT", date = 0 }
kiln.target { triple = "x86_64-unknown-linux-gnu", toolchain = "llvm-19", image = "trixie",
  variants = { "plain" }, ship = "plain", reference = "plain" }
stage.run { address = "*/plain/x/y", argv = { "true" }, outputs = { "x" } }
