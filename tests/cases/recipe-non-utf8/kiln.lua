return kiln.leaf("x", { kind = "folder", path = "é" })
