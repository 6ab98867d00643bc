print(pcall(require, "bad"))
return require "bad"
