#!lua flags=allow-oom
-- Puts what a restore has built in the place of what was read until now: old or new, whole, at once.
--
-- KEYS  none.
-- ARGV  read in order by take():
--         token of the restore; number of this database, and of the one beside
--         epoch; last version given; highest version, last journal entry and last commit that PostgreSQL has
--         the restore's own line of the journal:  its version, record id, action, actor, time, request id,
--                                                 operation, fields
--         ids:      count, (kind, last id given, ceiling) …
--         leaving:  count, (name, account) …
-- returns 1, also if it was done before, or 0, with nothing changed, if another restore or an admission was faster,
--         or Redis has restarted
--> take
local token, here, beside, epoch = take(), take(), take(), take()
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta, known = redis.call('HGETALL', 'meta'), {}
for index = 1, #meta, 2 do known[meta[index]] = meta[index + 1] end
if known.state == 'ready' and known.restorer == token and known.epoch == epoch then return 1 end
if known.state ~= 'restoring' or known.restorer ~= token or known.run ~= run then return 0 end
redis.call('SELECT', beside)
local place = redis.call('HMGET', 'meta', 'state', 'restorer')
if place[1] ~= 'staging' or place[2] ~= token then return 0 end

redis.call('SELECT', here)
-- These were written on, while no record was.
for _, name in ipairs({'sync', 'ground', 'losses', 'recovered'}) do
  redis.call('COPY', name, name, 'DB', beside, 'REPLACE')
end
redis.call('SELECT', beside)
redis.call('DEL', 'meta')
redis.call('HSET', 'meta', unpack(meta))
redis.call('HSET', 'meta', 'state', 'ready', 'epoch', epoch, 'version', take(), 'settled', take(),
           'carried', take(), 'commits', take())
redis.call('HSET', 'recovered', epoch, known.version or '0')
local stamp = take() .. '-0'
redis.call('XADD', 'journal', stamp, 'kind', 'restore', 'id', take(), 'action', take(), 'actor', take(),
           'at', take(), 'request', take(), 'op', take(), 'fields', take())
for _, row in ipairs(take_all(3)) do redis.call('HSET', 'ids', row[1], row[2], row[1] .. ':ceiling', row[3]) end
for _, row in ipairs(take_all(2)) do redis.call('HSET', 'leaving', row[1], row[2]) end
redis.call('SELECT', here)
redis.call('HSET', 'meta', 'state', 'replaced')
redis.call('SWAPDB', here, beside)
return 1
