local all = {}
for i = 1, 1 << 30 do
  all[i] = ("x"):rep(100000) .. i
end
