-- Packages: archive { … } and deb { … }. Each is declared for every variant; the plan makes the one
-- that ships. A package is a table { type = "package", declare = function(ctx, variant, bins) }, and
-- may have check(name, files, where), called once, and format(target): what it makes there, which no
-- other package of the release makes (nil: nothing).
local check = require "kiln.check"

local package = {}

-- File endings: how the archive is compressed, and its media type.
local formats = {
  ["tar.zst"] = { "zst", "application/zstd" },
  ["tar.xz"] = { "xz", "application/x-xz" },
  ["tar.gz"] = { "gz", "application/gzip" },
  zip = { nil, "application/zip" },
}

local function format_names()
  local names = {}
  for name in pairs(formats) do names[#names + 1] = name end
  return names
end

-- files = { "COPYING", man = { "doc/x.1" }, completions = { bash = "x.bash" } } as a list of
-- { path, kind, … }: paths in the source.
function package.files(files, where)
  local list = {}
  local function fault(path, text, note)
    kiln.fail { where = where, callee = "release", path = path, text = "files: " .. text, note = note }
  end
  local function add(kind, path, at)
    if type(path) ~= "string" then
      fault(at, "expected a path in the source, got " .. check.describe(path))
    end
    if path:match("[*?%[]") then
      fault(at, '"' .. path .. '": patterns are not looked up', "name the files one by one")
    end
    local name = path:match("[^/]+$")
    if not name then fault(at, '"' .. path .. '" is no path of a file') end
    for _, other in ipairs(list) do
      if other.name == name and other.kind == kind then
        fault(at, '"' .. path .. '" and "' .. other.path .. '" would stand at one place')
      end
    end
    list[#list + 1] = { kind = kind, path = path, name = name }
    return list[#list]
  end
  for key, value in pairs(files or {}) do
    if type(key) == "number" then
      add("doc", value, { "files", tostring(key) }).position = tostring(key)
    elseif key == "man" then
      if type(value) == "table" then check.list("release", where, { "files", "man" }, value) end
      for i, path in ipairs(type(value) == "table" and value or { value }) do
        local page = add("man", path, { "files", "man", tostring(i) })
        page.section = path:match("%.(%d)%w*$")
        if not page.section then
          fault({ "files", "man", tostring(i) }, '"' .. path .. '" is no manual page (NAME.1)')
        end
      end
    elseif key == "completions" and type(value) == "table" then
      local folders = { bash = "bash-completion/completions", fish = "fish/vendor_completions.d",
        zsh = "zsh/site-functions" }
      for shell, path in pairs(value) do
        if not folders[shell] then
          fault({ "files", "completions", tostring(shell) }, 'completions: unknown shell "' ..
            tostring(shell) .. '"', "bash, fish or zsh")
        end
        add("completion", path, { "files", "completions", shell }).folder = folders[shell]
      end
    else
      fault({ "files", tostring(key) }, 'unknown field "' .. tostring(key) .. '"',
        check.hint(tostring(key), { "man", "completions" }))
    end
  end
  return list
end

-- Where a file stands below a prefix ("" or "usr/"); documents where `docs` says.
local function place(file, prefix, docs)
  if file.kind == "man" then
    return prefix .. "share/man/man" .. file.section .. "/" .. file.name
  elseif file.kind == "completion" then
    return prefix .. "share/" .. file.folder .. "/" .. file.name
  end
  return docs .. file.name
end

-- `copyright`: the document that stands there as copyright, and not under its own name as well.
local function tree(ctx, bins, prefix, docs, copyright)
  local list = {}
  for name, binary in pairs(bins) do
    list[#list + 1] = { at = prefix .. "bin/" .. name .. ctx.target.exe, from = binary, mode = "0755" }
  end
  for _, file in ipairs(ctx.files) do
    local at = place(file, prefix, docs)
    if file.kind == "doc" and file.path == copyright then at = docs .. "copyright" end
    list[#list + 1] = { at = at, from = ctx.source:at(file.path), mode = "0644" }
  end
  return list
end

-- What stands for a word in { } in the names of packages.
local words = { "name", "version", "triple", "arch", "os", "debian" }
local usual_name = "{name}-{version}-{triple}"

-- A name's template must be one file name, and of known words.
local function check_template(where, callee, field, template)
  local function fault(text, note)
    kiln.fail { where = where, callee = callee, path = { field },
      text = callee .. ": " .. field .. ": " .. text, note = note }
  end
  if not template then return end
  for word in template:gmatch("{(.-)}") do
    local known = false
    for _, one in ipairs(words) do known = known or one == word end
    if not known then
      fault('unknown word "{' .. word .. '}"', check.hint(word, words, "one of: {" ..
        table.concat(words, "}, {") .. "}"))
    end
  end
  if template:gsub("{.-}", ""):match("[{}/%c]") or template == "" or template:match("^[.-]") then
    fault('"' .. template .. '" gives no name of a file')
  end
end

local function fill(template, ctx)
  local values = { name = ctx.name, version = ctx.version, triple = ctx.target.triple,
    arch = ctx.target.arch, os = ctx.target.os, debian = ctx.target.debian }
  return (template:gsub("{(.-)}", values))
end

-- archive { "tar.xz", windows = "zip" }: one folder with bin/, share/, documents. name and root are
-- what the file (before its ending) and the folder are called, with words in { } filled in.
function package.archive(args)
  local where = check.fields("archive", args,
    { windows = { "text" }, name = { "text" }, root = { "text" } }, "format")
  check_template(where, "archive", "name", args.name)
  check_template(where, "archive", "root", args.root)
  local function known(format, at)
    if type(format) ~= "string" or not rawget(formats, format) then
      kiln.fail { where = where, callee = "archive", path = { at },
        text = "archive: unknown format " .. check.describe(format),
        note = "one of: " .. table.concat(format_names(), ", ") }
    end
    return format
  end
  if #args ~= 1 then
    kiln.fail { where = where, callee = "archive", path = {},
      text = "archive: name one format, as in archive { \"tar.xz\" }" }
  end
  local usual = known(args[1], "1")
  local windows = args.windows and known(args.windows, "windows") or usual

  local function format_of(target) return target.os == "windows" and windows or usual end

  local function declare(ctx, variant, bins)
    local format = format_of(ctx.target)
    local address = ctx.target.triple .. "/" .. variant .. "/"
    local name = fill(args.name or usual_name, ctx)
    local root, made = args.root and fill(args.root, ctx) or name, nil
    local files = tree(ctx, bins, "", "")
    if format == "zip" then
      made = stage.zip { address = address .. "zip", where = where, root = root, files = files }
        :at "out.zip"
    else
      local compression = formats[format][1] --[[@as "zst"|"xz"|"gz"]]
      -- Archives that differ in their compression alone are one tar.
      local tars = ctx.tars
      local key = variant .. "/" .. root
      local first = not tars[variant]
      tars[variant] = true
      tars[key] = tars[key] or stage.tar { address = address .. (first and "tar" or "tar-" .. root),
        where = where, root = root, files = files }
      made = stage.compress { address = address .. format, where = where, format = compression,
        from = tars[key]:at "out.tar" } :at("out.tar." .. compression)
    end
    kiln.artefact { target = ctx.target.triple, variant = variant, kind = "archive", from = made,
      name = name .. "." .. format, media_type = formats[format][2], where = where }
  end
  return { type = "package", where = where, declare = declare, format = format_of }
end

-- The control file of a Debian package.
local function control(args, ctx)
  local summary = ctx.summary or ctx.name
  return {
    Package = args.name or ctx.name, Version = ctx.version .. "-" .. (args.revision or "1"),
    Architecture = ctx.target.debian, Maintainer = args.maintainer,
    Section = args.section or "misc", Priority = args.priority or "optional",
    Homepage = ctx.homepage, License = ctx.license, Description = summary,
    Depends = args.depends and #args.depends > 0 and table.concat(args.depends, ", ") or nil,
    Conflicts = args.conflicts and table.concat(args.conflicts, ", ") or nil,
    Provides = args.provides and table.concat(args.provides, ", ") or nil,
    Replaces = args.replaces and table.concat(args.replaces, ", ") or nil,
  }
end

local function is_debian_name(name) return name:match("^[a-z0-9][a-z0-9+.-]+$") ~= nil end

-- deb { maintainer = "NAME <ADDRESS>", depends = { "libc6 (>= 2.34)" } }. file is what the package's
-- file is called before ".deb", as name in archive.
function package.deb(args)
  local where = check.fields("deb", args, {
    name = { "text" }, revision = { "text|number" }, section = { "text" }, priority = { "text" },
    maintainer = { "text", required = true, doc = "maintainer = \"NAME <ADDRESS>\"" },
    depends = { "texts" }, conflicts = { "texts" }, provides = { "texts" }, replaces = { "texts" },
    copyright = { "text" }, file = { "text" },
  })
  check_template(where, "deb", "file", args.file)
  if not args.maintainer:match("^[^<>\n]+ <[^<>%s]+>$") then
    kiln.fail { where = where, callee = "deb", path = { "maintainer" },
      text = "deb: maintainer: " .. check.describe(args.maintainer) .. " is no name with an address",
      note = 'as in maintainer = "Jane Doe <jane@example.org>"' }
  end
  if args.name and not is_debian_name(args.name) then
    kiln.fail { where = where, callee = "deb", path = { "name" },
      text = 'deb: name: "' .. args.name .. '" is no name for a Debian package',
      note = "small letters, digits, + - ." }
  end

  -- The document that becomes …/copyright: the path in the source, and whether it is one of files.
  local function copyright_of(files)
    local path, listed = args.copyright, false
    for _, file in ipairs(files) do
      path = path or (file.kind == "doc" and file.path) or nil
      listed = listed or (file.kind == "doc" and file.path == path)
    end
    return path, listed
  end

  local function inspect(name, files, release_where)
    if not args.name and not is_debian_name(name) then
      kiln.fail { where = release_where, callee = "release", path = { "name" },
        text = 'name: "' .. name .. '" is no name for a Debian package',
        note = "small letters, digits, + - .; or give the package its own: deb { name = … }" }
    end
    local copyright = copyright_of(files)
    for _, file in ipairs(files) do
      if file.kind == "doc" and file.name == "copyright" and file.path ~= copyright then
        kiln.fail { where = release_where, callee = "release", path = { "files", file.position },
          text = 'files: "' .. file.path .. '" and "' .. copyright .. '" would both be the copyright file '
            .. "of the Debian package", note = 'choose with deb { copyright = "' .. file.path .. '" }' }
      end
    end
  end

  local function declare(ctx, variant, bins)
    if ctx.target.os ~= "linux" then return end
    local name = args.name or ctx.name
    local docs = "usr/share/doc/" .. name .. "/"
    local address = ctx.target.triple .. "/" .. variant .. "/deb"
    local copyright, listed = copyright_of(ctx.files)
    local files = tree(ctx, bins, "usr/", docs, copyright)
    if copyright and not listed then
      files[#files + 1] = { at = docs .. "copyright", from = ctx.source:at(copyright), mode = "0644" }
    end
    local members = stage.deb_members { address = address .. "-members", where = where,
      control = control(args, ctx), files = files }
    local made = stage.deb_ar { address = address, where = where,
      control = stage.compress { address = address .. "-control", where = where, format = "xz",
        name = "control.tar", from = members:at "control.tar" } :at "control.tar.xz",
      data = stage.compress { address = address .. "-data", where = where, format = "xz",
        name = "data.tar", from = members:at "data.tar" } :at "data.tar.xz" }
    kiln.artefact { target = ctx.target.triple, variant = variant, kind = "deb",
      from = made:at "out.deb", name = fill(args.file or usual_name, ctx) .. ".deb",
      media_type = "application/vnd.debian.binary-package", where = where }
  end
  local function format(target) return target.os == "linux" and "deb" or nil end
  return { type = "package", where = where, declare = declare, check = inspect, format = format }
end

return package
