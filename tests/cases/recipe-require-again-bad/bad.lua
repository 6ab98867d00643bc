
return nil + 1
