-- Has Latchkey verify a request, for apache.conf, and removes headers that clients must not send, also for
-- apache-openidc.conf. Nothing here needs to be changed.

require "apache2"

-- In seconds.
local TIMEOUT = 5

-- Headers of the client's request that Latchkey needs.
local AUTH_REQUEST_HEADERS = { "Authorization", "X-API-Key", "User-Api-Key", "Origin", "X-Request-Id" }

-- Headers of a refusal, for the client.
local REFUSAL_HEADERS = {
    "cache-control", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id",
    "access-control-allow-origin", "access-control-expose-headers", "vary", "deprecation", "sunset", "link",
}

-- Statuses that are returned to the client.
local REFUSALS = { [400] = true, [401] = true, [403] = true, [429] = true }

local UNAVAILABLE = { status = 503, headers = { ["retry-after"] = "1" }, body = "" }

local function remove_headers(r, pattern)
    for name in pairs(r:headers_in_table()) do
        if name:lower():find(pattern) then
            r.headers_in[name] = nil
        end
    end
end

local function is_preflight(r)
    return r.method == "OPTIONS" and (r.headers_in["Access-Control-Request-Method"] or "") ~= ""
end

local function is_key(value)
    return value ~= nil and value:find("^[a-z][a-z0-9]*_[tp]k_") ~= nil
end

-- The API receives an Authorization of its own, such as a JWT, if X-API-Key or user-api-key carries the key.
local function remove_key(r)
    local token = (r.headers_in["Authorization"] or ""):match("^[Bb][Ee][Aa][Rr][Ee][Rr]%s+(.*)")
    local is_key_beside = is_key(r.headers_in["X-API-Key"]) or is_key(r.headers_in["User-Api-Key"])
    if is_key(token) or not is_key_beside then
        r.headers_in["Authorization"] = nil
    end
    r.headers_in["X-API-Key"] = nil
    r.headers_in["User-Api-Key"] = nil
end

function remove_client_headers(r)
    -- Clients cannot set identity headers, in any spelling: some APIs treat X.Latchkey_Owner as the same header.
    remove_headers(r, "^x[^a-z0-9]latchkey")
    -- httpd removes headers that Connection names, so a client could remove the identity headers.
    local closes = (r.headers_in["Connection"] or ""):lower():find("close")
    r.headers_in["Connection"] = closes and "close" or nil
    -- Only upgrades to WebSocket pass. A connection that was upgraded to HTTP/2 could carry requests without verification.
    if (r.headers_in["Upgrade"] or ""):lower() ~= "websocket" then
        r.headers_in["Upgrade"] = nil
    end
    -- mod_proxy adds the client's address.
    r.headers_in["X-Forwarded-For"] = nil
    -- A preflight request passes without a key, and these headers could turn it into another call.
    if is_preflight(r) then
        remove_headers(r, "^x[^a-z0-9]method[^a-z0-9]override$")
        remove_headers(r, "^x[^a-z0-9]http[^a-z0-9]method")
        remove_key(r)
    end
    return apache2.OK
end

local function send_auth_request(r)
    local http, ltn12 = require "socket.http", require "ltn12"
    http.TIMEOUT = TIMEOUT
    local headers = { ["X-Forwarded-For"] = r.useragent_ip, ["X-Original-Method"] = r.method }
    for _, name in ipairs(AUTH_REQUEST_HEADERS) do
        headers[name] = r.headers_in[name]
    end
    local body = {}
    local sent, status, response_headers = http.request({
        url = r.subprocess_env["LATCHKEY_URL"], headers = headers, redirect = false, sink = ltn12.sink.table(body),
    })
    if sent and (status == 200 or REFUSALS[status]) then
        return { status = status, headers = response_headers, body = table.concat(body) }
    end
    r:err("Latchkey did not verify a request: " .. tostring(status))
    return UNAVAILABLE
end

local function refuse(r, response)
    r.status = response.status
    r.content_type = response.headers["content-type"] or "text/plain"
    for _, name in ipairs(REFUSAL_HEADERS) do
        if response.headers[name] then
            r.err_headers_out[name] = response.headers[name]
        end
    end
    r:write(response.body)
    return apache2.DONE
end

function verify_key(r)
    remove_client_headers(r)
    -- A preflight request carries no key, so it goes to the API without verification.
    if is_preflight(r) then
        return apache2.OK
    end
    local response = send_auth_request(r)
    if response.status ~= 200 then
        return refuse(r, response)
    end
    for name, value in pairs(response.headers) do
        if name:find("^x%-latchkey%-") then
            r.headers_in[name] = value
        end
    end
    -- Delete this line if the API needs the key.
    remove_key(r)
    return apache2.OK
end
