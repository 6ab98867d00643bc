local t = {}
t.build.run()
