-- One request an event, or BATCH events a request, as the browser SDK sends them: eventIds that rise with time, a session for each few events.
-- LIVE=2000 sends the events of so many visitors in turn, as real sites do, who are all active at once; IDS=none leaves the eventId to the server.
-- KIND=webhook sends payments of 20,000 customers instead, named by e-mail and externalId as a back end does, and KIND=identify a new customer on a session of their own.
local kind = os.getenv("KIND") or "event"
local batch = tonumber(os.getenv("BATCH") or "1")
local live = tonumber(os.getenv("LIVE") or "0")
local given = os.getenv("IDS") ~= "none"
local counter, threads = 0, 0
local run = os.time() + tonumber(os.getenv("SALT") or "0") -- two that send at once need ids of their own

-- Set in each thread's own globals: a local of that name would hide it, and the threads would send each other's ids again.
function setup(t)
  t:set("thread", threads)
  threads = threads + 1
end

local data = '{"address":"https://shop.example/product/headphones","productInfos":[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]}'
local context = '{"page":{"address":"https://shop.example/product/headphones","referrer":"https://search.example/","title":"Wireless Headphones"},"language":"en-GB","screen":{"width":1440,"height":900}}'
local headers = { ["Content-Type"] = "text/plain;charset=UTF-8", ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", ["Origin"] = "https://shop.example" }

local function id()
  counter = counter + 1
  return string.format("%08x-%04x-7%03x-8%03x-%012x", run, math.floor(counter / 65536) % 65536, counter % 4096, thread, counter)
end

local function event()
  local body
  if batch == 1 then
    local eventId = id()
    local session = live > 0 and counter * 7919 % math.floor(live / 2) or math.floor(counter / 8) -- two threads
    body = string.format('{"company_id":"TM-BENCH","sessionId":"session_%d_%d_%d","eventType":"page_view","eventData":%s,%s"context":%s}',
      run, thread, session, data, given and '"eventId":"' .. eventId .. '",' or "", context)
  else
    local events = {}
    for i = 1, batch do events[i] = string.format('{"eventType":"page_view","eventData":%s,"eventId":"%s"}', data, id()) end
    body = string.format('{"company_id":"TM-BENCH","sessionId":"session_%d_%d_%d","context":%s,"events":[%s]}', run, thread, math.floor(counter / batch), context, table.concat(events, ","))
  end
  return wrk.format("POST", "/api/events", headers, body)
end

local function webhook()
  local eventId = id()
  local customer = (counter * 2 + thread) % 20000
  return wrk.format("POST", "/api/webhooks/events", { ["Content-Type"] = "application/json", ["X-TrackMate-API-Key"] = os.getenv("KEY") }, string.format(
    '{"identifier":{"email":"customer%d@shop.example","externalId":"C-%d"},"eventType":"payment_processed","eventData":{"orderId":"%s","amount":79.99,"currency":"USD"},"eventId":"%s"}',
    customer, customer, eventId, eventId))
end

local function identify()
  local eventId = id()
  return wrk.format("POST", "/api/profile", headers, string.format('{"company_id":"TM-BENCH","sessionId":"session_%d_%d_i%d","email":"new%s@shop.example","name":"Sarah Miller","eventId":"%s"}',
    run, thread, counter, eventId, eventId))
end

function request()
  return ({ event = event, webhook = webhook, identify = identify })[kind]()
end

function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("%.0f %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
