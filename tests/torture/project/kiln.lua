-- What the cases of torture build: commands in the sandbox, folders as inputs and outputs, a builtin.
kiln.recipe { name = "torture", version = "1.0", license = "MIT", date = 1700000000 }
local triple = "x86_64-unknown-linux-gnu"
kiln.target { triple = triple, toolchain = "llvm-19", image = "tiny",
  variants = { "plain" }, ship = "plain", reference = "plain" }
local src = kiln.leaf("src", { kind = "folder", path = "src" })
local more = option("more", "")

local function step(name, kind, options)
  options.address = triple .. "/plain/" .. name
  return stage[kind](options)
end

local function command(name, script, outputs, inputs)
  return step(name, "run", { argv = { "sh", "-c", script }, outputs = outputs, inputs = inputs })
end

local one = command("one", "cat s/a s/b s/sub/c >o; mkdir d; cp o d/x; cp s/run d/y; printf %300000s x >d/large", { "o", "d" },
  { { at = "s", from = src } })
local two = command("two", "sha256sum <s/b >o; echo said" .. more, { "o" }, { { at = "s", from = src } })
local join = command("join", "cat a d/x d/y b >k", { "k" },
  { { at = "a", from = one:at "o" }, { at = "d", from = one:at "d" }, { at = "b", from = two:at "o" } })
local tar = step("tar", "tar", { root = "t", files = { { at = "k", from = join:at "k" }, { at = "y", from = one:at "d/y" } } })
kiln.artefact { target = triple, variant = "plain", kind = "archive", name = "t.tar",
  media_type = "application/x-tar", from = tar:at "out.tar" }
