#!lua
-- Ends an admission: from now on this server is the verified one.
--
-- KEYS  none.
-- ARGV  run id the admission was for; epoch; incarnation; lowest version to go on from; version that PostgreSQL has;
--       then (kind, last id given, ceiling) …
-- returns 1, or 0 if the server has restarted meanwhile
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[1] then return 0 end
local version = math.max(tonumber(ARGV[4]), tonumber(redis.call('HGET', 'meta', 'version') or 0))
for index = 6, #ARGV, 3 do
  redis.call('HSET', 'ids', ARGV[index], ARGV[index + 1], ARGV[index] .. ':ceiling', ARGV[index + 2])
end
redis.call('HSET', 'meta', 'state', 'ready', 'run', ARGV[1], 'epoch', ARGV[2], 'incarnation', ARGV[3],
           'version', string.format('%.0f', version), 'settled', ARGV[5])
if redis.call('EXISTS', 'journal') == 0 then redis.call('HSET', 'meta', 'carried', ARGV[5]) end
return 1
