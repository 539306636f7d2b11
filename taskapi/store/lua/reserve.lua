#!lua
-- Gives the next id of a kind away.
--
-- KEYS  none.
-- ARGV  kind
-- returns the id, {"ids", kind} if none is leased, {"unverified"} if Redis is not open
if redis.call('HGET', 'meta', 'state') ~= 'ready' then return {'unverified'} end
local last = tonumber(redis.call('HGET', 'ids', ARGV[1]) or 0)
if last >= tonumber(redis.call('HGET', 'ids', ARGV[1] .. ':ceiling') or 0) then return {'ids', ARGV[1]} end
return redis.call('HINCRBY', 'ids', ARGV[1], 1)
