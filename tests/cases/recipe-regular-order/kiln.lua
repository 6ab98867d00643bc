local names = {}
for name in pairs { zebra = 1, apple = 1, [2] = 1, [1] = 1, mango = 1 } do names[#names + 1] = tostring(name) end
local first = next { b = 1, a = 1 }
kiln.recipe { name = "x", version = "1-" .. table.concat(names, "."), license = first, date = 0,
  summary = tostring({}) .. string.format(" %s", print) }
