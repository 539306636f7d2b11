#!lua flags=allow-oom
-- Ends an admission: from now on this server is the verified one.
--
-- KEYS  none.
-- ARGV  run id the admission was for; epoch; incarnation; lowest version to go on from; highest version that
--       PostgreSQL has; version of the last journal entry that it has; its last commit;
--       how many epochs, then (epoch, highest version that either store still had when it was opened) …
--       then (kind, last id given, ceiling) …
-- returns 1, or 0 if the server has restarted meanwhile, or another admission was faster
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[1] then return 0 end
local meta = redis.call('HMGET', 'meta', 'state', 'run', 'epoch', 'version', 'carried')
if meta[1] == 'ready' and meta[2] == ARGV[1] then return 0 end
if tonumber(meta[3] or 0) > tonumber(ARGV[2]) then return 0 end
local version = math.max(tonumber(ARGV[4]), tonumber(meta[4] or 0))
local carried = math.min(tonumber(ARGV[6]), tonumber(meta[5] or ARGV[6]))
local ids = 9 + 2 * tonumber(ARGV[8])
for index = 9, ids - 1, 2 do
  -- What was written after the look at an open Redis, until it was closed, is there too.
  local before, left = tonumber(meta[4] or 0), tonumber(ARGV[index + 1])
  if before < tonumber(ARGV[index]) * 4294967296 then left = math.max(left, before) end
  redis.call('HSETNX', 'recovered', ARGV[index], string.format('%.0f', left))
end
-- The last hundred are enough to tell any process that still runs what it has missed.
for _, epoch in ipairs(redis.call('HKEYS', 'recovered')) do
  if tonumber(epoch) <= tonumber(ARGV[2]) - 100 then redis.call('HDEL', 'recovered', epoch) end
end
for index = ids, #ARGV, 3 do
  redis.call('HSET', 'ids', ARGV[index], ARGV[index + 1], ARGV[index] .. ':ceiling', ARGV[index + 2])
end
redis.call('HSET', 'meta', 'state', 'ready', 'run', ARGV[1], 'epoch', ARGV[2], 'incarnation', ARGV[3],
           'version', string.format('%.0f', version), 'settled', ARGV[5],
           'carried', string.format('%.0f', carried), 'commits', ARGV[7])
return 1
