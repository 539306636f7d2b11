#!lua flags=allow-oom
-- Takes out of sorted sets what names keys that are not there any more.
--
-- KEYS  none.
-- ARGV  1 to take out, 0 to only count; then (sorted set, what stands before its members in the names of keys) …
-- returns how many, or -1 if Redis is not open
local meta = redis.call('HMGET', 'meta', 'state', 'run')
if meta[1] ~= 'ready' or meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return -1 end
local found = 0
for index = 2, #ARGV, 2 do
  local loose = {}
  for _, name in ipairs(redis.call('ZRANGE', ARGV[index], 0, 4999)) do
    if redis.call('EXISTS', ARGV[index + 1] .. name) == 0 then loose[#loose + 1] = name end
  end
  if #loose > 0 and ARGV[1] == '1' then redis.call('ZREM', ARGV[index], unpack(loose)) end
  found = found + #loose
end
return found
