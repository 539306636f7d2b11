-- Writes down that a store came back without versions: once for each lowest one, with the highest that is known.
-- Returns whether that was news.
local function lost(store, above, up_to, moment, healed)
  local slot = store .. ' ' .. above
  local known, at, was_healed = string.match(redis.call('HGET', 'losses', slot) or '', '^(%S+) (%S+) (%d)$')
  if known then
    -- It is healed only if all of it is.
    if was_healed == '0' then healed = '0' end
    local wider = up_to == '?' and known ~= '?' or up_to ~= '?' and (known == '?' or tonumber(up_to) > tonumber(known))
    if not wider and healed == was_healed then return false end
    if not wider then up_to = known end
    moment = at
  end
  redis.call('HSET', 'losses', slot, up_to .. ' ' .. moment .. ' ' .. healed)
  while redis.call('HLEN', 'losses') > 100 do
    local oldest, since
    local all = redis.call('HGETALL', 'losses')
    for index = 1, #all, 2 do
      local when = string.match(all[index + 1], ' (%S+) ')
      if not since or when < since then oldest, since = all[index], when end
    end
    redis.call('HDEL', 'losses', oldest)
  end
  return true
end
