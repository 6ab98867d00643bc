local mine = {}
function mine.build()
  local self = { type = "build", where = kiln.where(), bins = { "tool" }, setup = function() end }
  function self.compile(ctx, _, how)
    local made = stage[how.kind] { address = how.address, argv = { "cc", how.cflags[1] },
      inputs = { { at = "src", from = ctx.source } }, outputs = { "tool" } }
    return { tool = made:at "tool" }
  end
  return self
end
return mine
