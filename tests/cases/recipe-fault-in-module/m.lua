local m = {}
function m.go()
  return nothing + 1
end
return m
