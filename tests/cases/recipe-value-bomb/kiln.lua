local t = { "x" }
for _ = 1, 25 do t = { t, t, t, t } end
kiln.leaf("x", { kind = "folder", path = t })
