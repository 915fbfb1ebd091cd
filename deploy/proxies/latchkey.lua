-- Has Latchkey verify a request, for haproxy.cfg. Nothing here needs to be changed.

local latchkey = os.getenv("LATCHKEY") or "127.0.0.1:3000"

-- Headers of the client's request that Latchkey needs.
local asked = { "authorization", "x-api-key", "user-api-key", "origin", "x-forwarded-for", "x-request-id" }

-- Headers with the caller's identity, for the API.
local identity = {
    "x-latchkey-tenant", "x-latchkey-key-id", "x-latchkey-key-name",
    "x-latchkey-owner", "x-latchkey-permissions", "x-latchkey-properties",
}

-- Headers of a refusal, for the client.
local told = {
    "content-type", "cache-control", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id",
    "access-control-allow-origin", "access-control-expose-headers", "vary", "deprecation", "sunset", "link",
}

-- Statuses that are returned to the client.
local refusals = { [400] = true, [401] = true, [403] = true, [429] = true }

local function list(headers)
    local values = {}
    for at = 0, #headers do
        values[#values + 1] = headers[at]
    end
    return values
end

local function question(txn)
    local sent = txn.http:req_get_headers()
    local headers = { ["x-original-method"] = { txn.sf:method() } }
    for _, name in ipairs(asked) do
        if sent[name] then
            headers[name] = list(sent[name])
        end
    end
    return headers
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, body = answer.body or "" })
    for _, name in ipairs(told) do
        for _, value in ipairs(answer.headers[name] and list(answer.headers[name]) or {}) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

-- In milliseconds. HAProxy asks up to four times, so a request waits at most 5 seconds for an unresponsive Latchkey.
local patience = 1250

local unavailable = { status = 503, headers = { ["retry-after"] = { [0] = "1" } } }

core.register_action("latchkey", { "http-req" }, function(txn, demand)
    local url = "http://" .. latchkey .. "/gateway/auth?" .. demand
    local answer = core.httpclient():get({ url = url, headers = question(txn), timeout = patience })
    if answer == nil or answer.status ~= 200 then
        local is_refusal = answer ~= nil and refusals[answer.status]
        return refuse(txn, is_refusal and answer or unavailable)
    end
    for _, name in ipairs(identity) do
        local value = answer.headers[name] and answer.headers[name][0] or ""
        txn.http:req_set_header(name, value)
    end
    txn:set_var("txn.latchkey", "yes")
end, 1)
