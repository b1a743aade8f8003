-- Each request comes from another reader in another network.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set('thread', threads)
end

function init(args)
  run, form_token, count = args[1], args[2], 0
  math.randomseed(thread * 7919 + tonumber(run, 36))
end

function request()
  count = count + 1
  local address = string.format('%d.%d.%d.%d', math.random(20, 99), math.random(0, 255),
                                math.random(0, 255), math.random(1, 254))
  return wrk.format('POST', nil, {
    ['Host'] = 'news.example.com',
    ['Content-Type'] = 'application/x-www-form-urlencoded',
    ['X-Forwarded-Proto'] = 'https',
    ['X-Forwarded-For'] = address,
    ['User-Agent'] = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    ['Accept-Language'] = 'en-GB,en;q=0.8,de;q=0.5',
  }, string.format('email=reader.%s.%d.%d%%40example.com&website=&opened=%s', run, thread, count,
                   form_token))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
