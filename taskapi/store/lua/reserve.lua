#!lua
-- Gives the next id of a kind away.
--
-- KEYS  none.
-- ARGV  kind
-- returns the id, {"ids", kind} if none is leased, {"full", what is} without room, {"unverified"} if Redis is not open
local meta = redis.call('HMGET', 'meta', 'state', 'full')
if meta[1] == 'restoring' then return {'restoring'} end
if meta[1] ~= 'ready' then return {'unverified'} end
if meta[2] then return {'full', meta[2]} end
local last = tonumber(redis.call('HGET', 'ids', ARGV[1]) or 0)
if last >= tonumber(redis.call('HGET', 'ids', ARGV[1] .. ':ceiling') or 0) then return {'ids', ARGV[1]} end
return redis.call('HINCRBY', 'ids', ARGV[1], 1)
