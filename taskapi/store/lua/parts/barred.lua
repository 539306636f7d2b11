-- Records may be put here while this is closed, or is where a restore builds that goes on. Nil then; else 0 if it
-- is open, -1 if the restore was overtaken.
local function barred()
  local meta = redis.call('HMGET', 'meta', 'state', 'restorer', 'home', 'here')
  if meta[1] == 'ready' or meta[1] == 'restoring' then return 0 end
  if meta[1] ~= 'staging' then return nil end
  redis.call('SELECT', meta[3])
  local home = redis.call('HMGET', 'meta', 'state', 'restorer')
  redis.call('SELECT', meta[4])
  if home[1] ~= 'restoring' or home[2] ~= meta[2] then return -1 end
end
