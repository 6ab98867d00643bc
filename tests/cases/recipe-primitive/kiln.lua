kiln.recipe { name = "x", version = "1", license = "MIT", date = 0 }
kiln.target { triple = "x86_64-unknown-linux-gnu", toolchain = "llvm-19", image = "trixie",
  variants = { "plain" }, ship = "plain", reference = "plain" }
local source = kiln.leaf("source", { kind = "folder", path = "src" })
local made = stage.run {
  address = "x86_64-unknown-linux-gnu/plain/x", argv = { "cp", "in/a", "x", 7 }, outputs = { "x" },
  inputs = { { at = "in", from = source } }, env = {},
}
kiln.artefact { target = "x86_64-unknown-linux-gnu", variant = "plain", kind = "archive", name = "x.tar",
  media_type = "application/x-tar", from = made:at "x" }
