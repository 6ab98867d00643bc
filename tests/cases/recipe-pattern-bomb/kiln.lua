local text = ("a"):rep(50000)
local found = text:find(".-.-.-.-b")
