local spin = { __close = function() while true do end end }
while true do
  local x <close> = setmetatable({}, spin)
end
