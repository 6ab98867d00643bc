return string.fromat("%d", 1)
