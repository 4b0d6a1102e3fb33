"""What the ledger asks of Redis, each in one round trip: the arithmetic of `setu.resilience.windows` in Lua.

Every script takes the time as its first argument; an empty one asks Redis for its own, so that several machines count
by one clock. Kinds of charges: `w` a sliding window (hash: slot to count), `b` a budget (integer), `c` concurrency
(sorted set: holder to the end of its lease).
"""

import hashlib

import msgspec


class Script(msgspec.Struct, frozen=True):
    """A script and the digest that Redis knows it by."""

    text: str
    sha: str


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_CLOCK = """
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
"""

_WINDOW = """
local function look(key)
  local slot, newest = math.floor(now), -1
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    newest = math.max(newest, tonumber(flat[i]))
  end
  if slot < newest and newest <= slot + 60 then slot = newest end
  local minute, two, stale = 0, 0, {}
  for i = 1, #flat, 2 do
    local at, count = tonumber(flat[i]), tonumber(flat[i + 1])
    if at < slot - 120 or at > slot then
      stale[#stale + 1] = flat[i]
    else
      two = two + count
      if at >= slot - 60 then minute = minute + count end
    end
  end
  return {slot = slot, minute = minute, two = two, stale = stale, flat = flat}
end
local function count(key, seen, amount)
  if #seen.stale > 0 then redis.call('HDEL', key, unpack(seen.stale)) end
  redis.call('HINCRBY', key, seen.slot, amount)
  redis.call('EXPIRE', key, 180)
end
"""

RESERVE = _script(
    _CLOCK
    + _WINDOW
    + """
local lease, token, seen, stamp = tonumber(ARGV[2]), ARGV[3], {}, string.format('%.6f', now)
local function arguments(i)
  local at = 4 + (i - 1) * 5
  return ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 4]
end
for i, key in ipairs(KEYS) do
  local kind, amount, limit, burst = arguments(i)
  if kind == 'w' then
    local found = look(key)
    if found.minute + amount > limit + burst or (burst > 0 and found.two + amount > 2 * limit) then
      return {0, i, stamp, found.flat}
    end
    seen[i] = found
  else
    local used
    if kind == 'c' then
      redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
      used = redis.call('ZCARD', key)
    else
      used = tonumber(redis.call('GET', key) or '0')
    end
    if used + amount > limit then return {0, i, stamp, used} end
    seen[i] = used
  end
end
local reply = {1, stamp}
for i, key in ipairs(KEYS) do
  local kind, amount, _, _, expire = arguments(i)
  if kind == 'w' then
    count(key, seen[i], amount)
    reply[#reply + 1] = {seen[i].minute + amount, seen[i].two + amount, seen[i].slot}
  elseif kind == 'c' then
    for n = 1, amount do redis.call('ZADD', key, now + lease, token .. ':' .. n) end
    redis.call('EXPIRE', key, math.ceil(lease) * 2)
    reply[#reply + 1] = {seen[i] + amount}
  else
    redis.call('INCRBY', key, amount)
    redis.call('EXPIRE', key, expire)
    reply[#reply + 1] = {seen[i] + amount}
  end
end
return reply
"""
)
"""ARGV: now, lease, token; then kind, amount, limit, burst, expire for each key."""

SETTLE = _script(
    _CLOCK
    + _WINDOW
    + """
local token = ARGV[2]
for i, key in ipairs(KEYS) do
  local at = 3 + (i - 1) * 4
  local kind, more, slot, expire = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  if kind == 'c' then
    for n = 1, -more do redis.call('ZREM', key, token .. ':' .. n) end
  elseif kind == 'b' then
    local used = tonumber(redis.call('GET', key) or '0')
    redis.call('SET', key, string.format('%.0f', math.max(0, used + more)), 'EX', expire)
  elseif more > 0 then
    count(key, look(key), more)
  else
    local had = redis.call('HGET', key, slot)
    if had then redis.call('HSET', key, slot, math.max(0, tonumber(had) + more)) end
  end
end
return 1
"""
)
"""ARGV: now, token; then kind, what to add, the slot it was taken in, expire for each key."""

RENEW = _script(
    _CLOCK
    + """
for i, key in ipairs(KEYS) do redis.call('ZADD', key, 'XX', now + tonumber(ARGV[2]), ARGV[i + 2]) end
return 1
"""
)
"""ARGV: now, lease; then the holder for each key."""

SWAP = _script("""
local held = redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[4]
if held ~= ARGV[2] then return {0, held} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], 86400)
return {1, ARGV[3]}
""")
"""Set a breaker if it is still what its caller thought. ARGV: name, expected, new, and what an absent one is."""

HEAR = _script("""
return {redis.call('TIME'), redis.call('HGETALL', KEYS[1])}
""")
"""Redis's time and all breakers."""
