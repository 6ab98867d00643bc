local version = tonumber("x")
assert(version, "no version")
