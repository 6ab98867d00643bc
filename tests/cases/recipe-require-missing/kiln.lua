local x = require "kiln.fod"
