return release {
  api = 1,
