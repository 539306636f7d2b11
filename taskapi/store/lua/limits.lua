#!lua flags=allow-oom
-- Forgets buckets that are full again: one that nobody knows of is full. In memory only, as read.lua fills them:
-- nothing reaches the AOF, from which such a bucket may come back, to be forgotten again.
--
-- KEYS  none.
-- ARGV  1 to forget, 0 to only count; where to go on, "0" to begin; how many to look at
-- returns {where to go on, "0" at the end; how many are full}
local clock, full = redis.call('TIME'), {}
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local page = redis.call('HSCAN', 'limits', ARGV[2], 'COUNT', ARGV[3])
for index = 1, #page[2], 2 do
  if tonumber(page[2][index + 1]) <= now then full[#full + 1] = page[2][index] end
end
if #full > 0 and ARGV[1] == '1' then
  redis.set_repl(redis.REPL_NONE)
  for first = 1, #full, 1000 do
    redis.call('HDEL', 'limits', unpack(full, first, math.min(first + 999, #full)))
  end
end
return {page[1], #full}
