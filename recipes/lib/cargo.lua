-- cargo.manifest reads what a package says about itself.
local check = require "kiln.check"

local cargo = {}

local absent = {
  license = 'write license = "…" in the recipe, an SPDX expression',
  version = 'write version = "…" in the recipe',
}

-- The package of the Cargo.toml in a folder beside the recipe: name, version, license, bins. What it
-- does not say is an error once the recipe asks for it.
function cargo.manifest(dir)
  local where = kiln.where()
  if dir ~= nil and type(dir) ~= "string" then
    kiln.fail { where = where, callee = "manifest",
      text = 'cargo.manifest: expected a folder, as in cargo.manifest "crates/cli", got '
        .. check.describe(dir) }
  end
  local fact = kiln.cargo_manifest(dir or ".")
  local fields = { name = fact.name, version = fact.version, license = fact.license, bins = fact.bins }
  return setmetatable(fields, { __index = function(_, field)
    local note = absent[field]
    local text = fact.path .. " has no " .. tostring(field)
    if field == "license" and fact.license_file then
      text = text .. ", only a license-file (" .. fact.license_file .. ")"
    elseif not note then
      text = 'cargo.manifest: unknown field "' .. tostring(field) .. '"'
      note = check.hint(tostring(field), { "name", "version", "license", "bins" })
    end
    kiln.fail { text = text, note = note }
  end })
end

return cargo
