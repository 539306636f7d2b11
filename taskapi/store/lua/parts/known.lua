local function raise(key, field, value)
  if value > tonumber(redis.call('HGET', key, field) or 0) then
    redis.call('HSET', key, field, string.format('%.0f', value))
  end
end
