#!lua
-- On the broker Redis: remembers an answer, if there is one, and ends the turn of whoever has loaded it.
--
-- KEYS  none.
-- ARGV  key; key of the turn to load it, and whose turn this was; answer; for how many ms, 0 for no answer
-- returns 1
if ARGV[5] ~= '0' then redis.call('SET', ARGV[1], ARGV[4], 'PX', ARGV[5]) end
if redis.call('GET', ARGV[2]) == ARGV[3] then redis.call('DEL', ARGV[2]) end
return 1
