local x = {
  1, 2
  "three",
}
return release {}
