-- Servers as workloads: the program is started, waited for, run against on the sandbox's own loopback,
-- and stopped; all in one stage.
local check = require "kiln.check"
local workload = require "kiln.workload"

local serve = {}

-- Ready when somebody listens on a port of the sandbox; `seconds`: how long that may take.
function serve.tcp(port, seconds)
  if math.type(port) ~= "integer" or port < 1 or port > 65535 then
    kiln.fail { text = "tcp: expected a port, 1 to 65535, got " .. check.describe(port) }
  end
  if seconds ~= nil and (math.type(seconds) ~= "integer" or seconds < 1 or seconds > 86400) then
    kiln.fail { text = "tcp: expected seconds behind the port, 1 to 86400, got " .. check.describe(seconds) }
  end
  return { type = "ready", port = port, seconds = seconds }
end

local stops = { "TERM", "INT", "QUIT", "HUP", "USR1", "USR2" }

-- What only a run of its own has; serve says it for all that is run against the server.
local outer = { "name", "weight", "timeout", "filters", "cases" }

-- What is run against the server: its files, tools and programs become the whole's.
local function add_client(whole, i, client)
  local function fault(text, note)
    kiln.fail { where = whole.where, callee = "serve", path = whole.one and { "run" } or { "run", tostring(i) },
      text = "serve: run: " .. text, note = note }
  end
  if type(client) ~= "table" or client.type ~= "run" or client.serve then
    fault("expected run { … }, got " .. check.describe(client))
  end
  for _, field in ipairs(outer) do
    if client.args[field] ~= nil then
      kiln.fail { where = client.where, callee = "run", path = { field }, key = true,
        text = "run: " .. field .. ": what is run against a server has none of its own",
        note = field ~= "cases" and "write it in serve { … }" or nil }
    end
  end
  whole.serve.clients[i] = client
  whole.places = check.join(whole.places, client.places)
  whole.tools = check.join(whole.tools, client.tools)
end

-- serve { bin "server", "--port", 8080, ready = tcp(8080), run = run { bin "client", 8080 } }
function serve.serve(args)
  local whole = workload.begin("serve", args, {
    ready = { "ready", required = true, doc = "when it may be asked: ready = tcp(8080)" },
    run = { "table", required = true, doc = "what is run against it: run = run { … }" },
    stop = { "text" },
  })
  local known = false
  for _, name in ipairs(stops) do known = known or args.stop == name end
  if args.stop and not known then
    kiln.fail { where = whole.where, callee = "serve", path = { "stop" },
      text = 'serve: stop: "' .. args.stop .. '" is none of: ' .. table.concat(stops, ", "),
      note = check.hint(args.stop, stops) }
  end
  whole.serve = { port = args.ready.port, ready = args.ready.seconds, stop = args.stop, clients = {} }
  whole.one = args.run.type ~= nil
  local clients = whole.one and { args.run } or args.run
  check.list("serve", whole.where, { "run" }, clients)
  for i, client in ipairs(clients) do add_client(whole, i, client) end
  if #clients == 0 then
    kiln.fail { where = whole.where, callee = "serve", path = { "run" },
      text = "serve: run: nothing is run against the server" }
  end
  return whole
end

return serve
