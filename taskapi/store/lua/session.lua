#!lua flags=allow-oom
-- Sessions: one hash a login, with the id of the refresh token that is good for it.
--
-- KEYS  none.
-- ARGV  "begin",  session key, sessions key, session id, life in s, user key, credential key, its version,
--                 most sessions, operation key or "", its life in ms, what to keep under it, then field, value …
--       "rotate", session key, sessions key, session id, life in s, refresh id presented, refresh id to come, time
--       "end",    sessions key, session key prefix, operation key or "", its life in ms, its fingerprint,
--                 then session id …                                        all of them without an id
-- returns begin: 1, 0 if the credential has changed, -1 if the user is gone
--         rotate: 1, 0 no such session, -1 reused: it has ended
--         end: how many                                     {"unverified"} {"restoring"} if it is not open
--         begin, end: {"again", what was kept} for an operation that was done before
local state = redis.call('HGET', 'meta', 'state')
if state == 'restoring' then return {'restoring'} end
if state ~= 'ready' then return {'unverified'} end
local clock = redis.call('TIME')
local now = tonumber(clock[1])
local function forget(list, prefix, id)
  redis.call('ZREM', list, id)
  return redis.call('DEL', prefix .. id)
end

local function kept(operation)
  return operation ~= '' and redis.call('GET', operation)
end
local function keep(operation, lasts, answer)
  if operation ~= '' then redis.call('SET', operation, answer, 'PX', lasts) end
end

if ARGV[1] == 'end' then
  local again = kept(ARGV[4])
  if again then return {'again', again} end
  local ids, done = {}, 0
  for index = 7, #ARGV do ids[#ids + 1] = ARGV[index] end
  if #ids == 0 then ids = redis.call('ZRANGE', ARGV[2], 0, -1) end
  for _, id in ipairs(ids) do done = done + forget(ARGV[2], ARGV[3], id) end
  keep(ARGV[4], ARGV[5], ARGV[6] .. '\n' .. done)
  return done
end

local session, list, id, life = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local prefix = string.sub(session, 1, #session - #id)
if ARGV[1] == 'begin' then
  if redis.call('EXISTS', ARGV[6]) == 0 then return -1 end
  local again = kept(ARGV[10])
  if again then return {'again', again} end
  local credential = redis.call('GET', ARGV[7])
  if not credential or string.match(credential, '"version":(%d+)}$') ~= ARGV[8] then return 0 end
  for _, old in ipairs(redis.call('ZRANGE', list, '-inf', now * 1000, 'BYSCORE')) do forget(list, prefix, old) end
  for _, old in ipairs(redis.call('ZRANGE', list, 0, -tonumber(ARGV[9]))) do forget(list, prefix, old) end
  local values = {}
  for index = 13, #ARGV do values[#values + 1] = ARGV[index] end
  redis.call('HSET', session, unpack(values))
  keep(ARGV[10], ARGV[11], ARGV[12])
else
  local good = redis.call('HGET', session, 'refresh')
  if not good then return 0 end
  if good ~= ARGV[6] and good ~= ARGV[7] then
    forget(list, prefix, id)
    return -1
  end
  redis.call('HSET', session, 'refresh', ARGV[7], 'refreshed_at', ARGV[8])
end
redis.call('EXPIRE', session, life)
redis.call('ZADD', list, (now + life) * 1000, id)
-- The list lasts as long as the last of its sessions, also when those that begin now last less long.
redis.call('EXPIRE', list, life, 'NX')
redis.call('EXPIRE', list, life, 'GT')
return 1
