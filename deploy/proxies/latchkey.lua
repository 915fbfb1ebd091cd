-- Has Latchkey verify a request, for haproxy.cfg. Nothing here needs to be changed.

local LATCHKEY = os.getenv("LATCHKEY") or "127.0.0.1:3000"

-- In milliseconds. HAProxy sends the request up to four times, so a client waits at most 5 seconds for an unresponsive
-- Latchkey.
local ATTEMPT_TIMEOUT = 1250

-- Headers of the client's request that Latchkey needs.
local AUTH_REQUEST_HEADERS = { "authorization", "x-api-key", "user-api-key", "origin", "x-forwarded-for", "x-request-id" }

-- Headers with the caller's identity, for the API.
local IDENTITY_PREFIX = "^x%-latchkey%-"

-- Headers of a refusal, for the client.
local REFUSAL_HEADERS = {
    "content-type", "cache-control", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id",
    "access-control-allow-origin", "access-control-expose-headers", "vary", "deprecation", "sunset", "link",
}

-- Statuses that are returned to the client.
local REFUSALS = { [400] = true, [401] = true, [403] = true, [429] = true }

local UNAVAILABLE = { status = 503, headers = { ["retry-after"] = { [0] = "1" } } }

-- HAProxy numbers the values of a header from 0, but expects them from 1.
local function header_values(headers, name)
    local values, found = {}, headers[name] or {}
    for at = 0, #found do
        values[#values + 1] = found[at]
    end
    return values
end

local function auth_request_headers(txn)
    local client = txn.http:req_get_headers()
    local headers = { ["x-original-method"] = { txn.sf:method() } }
    for _, name in ipairs(AUTH_REQUEST_HEADERS) do
        if client[name] then
            headers[name] = header_values(client, name)
        end
    end
    return headers
end

local function refuse(txn, response)
    local reply = txn:reply({ status = response.status, body = response.body or "" })
    for _, name in ipairs(REFUSAL_HEADERS) do
        for _, value in ipairs(header_values(response.headers, name)) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("latchkey", { "http-req" }, function(txn, query)
    local url = "http://" .. LATCHKEY .. "/gateway/auth?" .. query
    local response = core.httpclient():get({ url = url, headers = auth_request_headers(txn), timeout = ATTEMPT_TIMEOUT })
    if response == nil or response.status ~= 200 then
        local is_refusal = response ~= nil and REFUSALS[response.status]
        return refuse(txn, is_refusal and response or UNAVAILABLE)
    end
    for name, values in pairs(response.headers) do
        if name:find(IDENTITY_PREFIX) then
            txn.http:req_set_header(name, values[0])
        end
    end
    txn:set_var("txn.latchkey", "yes")
end, 1)
