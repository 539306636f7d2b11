#!lua flags=no-writes
-- By what one tells whether a task in some scopes has changed.
--
-- KEYS  none.
-- ARGV  field of stamps …
-- returns {"unverified"} | {"ok", epoch, how many parents are leaving, {stamp …}}
local meta = redis.call('HMGET', 'meta', 'state', 'epoch')
if meta[1] ~= 'ready' and meta[1] ~= 'restoring' then return {'unverified'} end
return {'ok', meta[2], redis.call('HLEN', 'leaving'), redis.call('HMGET', 'stamps', unpack(ARGV))}
