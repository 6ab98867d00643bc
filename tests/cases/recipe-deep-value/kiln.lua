local t = {}
for _ = 1, 100 do t = { t } end
kiln.leaf("x", { kind = "folder", path = t })
