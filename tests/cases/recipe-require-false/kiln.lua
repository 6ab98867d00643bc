assert(require "no" == false and require "no" == false)
kiln.recipe { name = "x", version = "1", license = "MIT", date = 0 }
