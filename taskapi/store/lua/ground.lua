#!lua flags=allow-oom
-- Keeps what a check of the ground has found; while something is full, save.lua takes only what makes room.
--
-- KEYS  none.
-- ARGV  report; samples; what is full, with commas between, or ""
-- returns 1, or 0 if this Redis is nobody's yet: then nothing is written
if redis.call('HEXISTS', 'meta', 'incarnation') == 0 then return 0 end
redis.call('HSET', 'ground', 'report', ARGV[1], 'samples', ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', 'meta', 'full', ARGV[3])
else redis.call('HDEL', 'meta', 'full') end
return 1
