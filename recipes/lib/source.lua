-- Sources: what a release is made from. Each is fetched before anything runs and known by its
-- digest. These functions describe one; release { … } declares it under the name of its field.
local check = require "kiln.check"

local source = { debian = {} }

local function leaf(where, spec, values)
  spec.where = where
  return { type = "source", where = where, spec = spec, values = values or {} }
end

-- A Debian source package. `dsc` pins it: the digest of the .dsc names everything else.
function source.debian.source(args)
  local where = check.fields("debian.source", args, {
    name = { "text", required = true }, version = { "text", required = true },
    dsc = { "text" }, patches = { "boolean" },
  })
  if args.dsc and not args.dsc:match("^sha256:%x+$") or args.dsc and #args.dsc ~= 71 then
    kiln.fail { where = where, callee = "source", path = { "dsc" },
      text = "debian.source: dsc: expected sha256: and 64 hex digits" }
  end
  -- [epoch:]upstream[-revision]
  local upstream = args.version:gsub("^%d+:", ""):gsub("%-[^-]*$", "")
  return leaf(where, { kind = "debian", name = args.name, version = args.version, dsc = args.dsc,
    patches = args.patches or false }, { name = args.name, version = upstream })
end

-- A folder beside the recipe.
function source.folder(path)
  local where = kiln.where()
  if type(path) ~= "string" then
    kiln.fail { where = where, text = 'folder: expected a path, as in folder "src", got ' .. check.describe(path) }
  end
  if kiln.stat(path) ~= "folder" then
    kiln.fail { where = where, text = "folder: there is no folder \"" .. path .. "\" beside the recipe" }
  end
  return leaf(where, { kind = "folder", path = path })
end

-- The repository the recipe lies in: its tracked files, with submodules and what Git LFS keeps aside;
-- for a release as the commit has them, else as they lie there. The commit's time is the date.
function source.checkout(args)
  local where = check.fields("checkout", args or {}, { exclude = { "texts" } })
  return leaf(where, { kind = "checkout", exclude = args and args.exclude })
end

-- The version that git's tags say: of the tag on the commit, else a snapshot version behind the
-- nearest one. What the pattern has in front of its first * is no part of the version.
function source.git_version(args)
  check.fields("git.version", args, { tag = { "text", required = true, doc = 'as in tag = "v*"' } })
  return kiln.git_version(args.tag)
end

-- The text of a file beside the recipe, without the line end at its end.
function source.read(path)
  if type(path) ~= "string" then
    kiln.fail { where = kiln.where(), text = 'read: expected a path, as in read "VERSION", got ' ..
      check.describe(path) }
  end
  return (kiln.read(path):gsub("%s+$", ""))
end

-- The file name an address ends with; nil where it ends with none.
function source.name(url)
  local name = url:gsub("[?#].*", ""):match("^https://[^/]+/.-([^/]*)$")
  if name ~= "" and name ~= "." and name ~= ".." then return name end
end

-- A file from the web, by digest.
function source.https(args)
  local where = check.fields("https", args, {
    url = { "text", required = true }, sha256 = { "text", required = true },
  })
  if not args.url:match("^https://[^/]+/.+") then
    kiln.fail { where = where, callee = "https", path = { "url" },
      text = "https: url: expected an address that begins with https://" }
  end
  if not source.name(args.url) then
    kiln.fail { where = where, callee = "https", path = { "url" },
      text = 'https: url: "' .. args.url .. '" does not end with the name of a file' }
  end
  if #args.sha256 ~= 64 or args.sha256:match("[^0-9a-f]") then
    kiln.fail { where = where, callee = "https", path = { "sha256" },
      text = "https: sha256: expected 64 hex digits in lower case",
      note = "sha256sum FILE prints it" }
  end
  return leaf(where, { kind = "https", url = args.url, sha256 = args.sha256 })
end

return source
