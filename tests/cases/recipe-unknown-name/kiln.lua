return relese { api = 1 }
