-- Asks with one key after another, and prints what came of it as JSON. In the file of secrets stand the number of
-- tenants, a verifier of each, and then the keys, of each tenant in turn. All secrets are of the same length.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local heads, secrets, tail = {}, {}, ""
local first, at = 0, 0
issued = 0

local function secret_of(line)
  return line:match("^%S+")
end

-- The last character belongs to the checksum.
local function misspelled(secret)
  return secret:sub(1, -2) .. (secret:sub(-1) == "0" and "1" or "0")
end

local function verify_head(path, verifier, length)
  return "POST " .. path .. " HTTP/1.1\r\nHost: latchkey\r\nX-API-Key: " .. verifier
    .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. '\r\n\r\n{"key":"'
end

local function prepare(ask, path, verifiers, length)
  if ask == "key" then
    heads, tail = { "GET " .. path .. " HTTP/1.1\r\nHost: latchkey\r\nX-API-Key: " }, "\r\n\r\n"
    return
  end
  tail = '","permission":"reservations:read","ip":"203.0.113.9"}'
  for number, verifier in ipairs(verifiers) do
    heads[number] = verify_head(path, verifier, #'{"key":"' + length + #tail)
  end
end

function init(args)
  local file, ask, path, from, to = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[5])
  local lines, verifiers = io.lines(file), {}
  local tenants = tonumber(lines())
  for number = 1, tenants do
    verifiers[number] = secret_of(lines())
  end
  local number = 0
  for line in lines do
    if number >= to then break end
    if number >= from then
      local secret = secret_of(line)
      secrets[number - from + 1] = ask == "malformed" and misspelled(secret) or secret
    end
    number = number + 1
  end
  first = from
  prepare(ask, path, verifiers, #secrets[1])
end

function request()
  local place = at % #secrets
  local head = heads[(first + place) % #heads + 1]
  at = at + 1
  issued = at
  return head .. secrets[place + 1] .. tail
end

function done(summary, latency)
  local errors = summary.errors
  local issued = 0
  for _, thread in ipairs(threads) do
    issued = issued + thread:get("issued")
  end
  print(string.format(
    '{"requests":%d,"issued":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"failed":%d,"refused":%d}',
    summary.requests, issued, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
