-- What visitors and staff ask for, in turn. Arguments: a file with a request a line (method, path, cookie or nothing,
-- body or nothing, separated by tabs), and a word of this run: {n} stands for what no other request has.
local report = require("report")
local asked = 0
local encodings = { "gzip, deflate, br, zstd", "gzip, deflate", "br", "identity", "gzip;q=0.5, br;q=0.1" }
local browsers = {
  "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Instagram 390.0.0",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}

function init(arguments)
  requests = {}
  for line in io.lines(arguments[1]) do
    local method, path, cookie, body = line:match("^(.-)\t(.-)\t(.-)\t(.*)$")
    table.insert(requests, { method = method, path = path, cookie = cookie, body = body })
  end
  word = arguments[2]
  asked = number * 97
end

function request()
  asked = asked + 1
  local chosen = requests[asked % #requests + 1]
  local unique = string.format("%s-%d-%d", word, number, asked)
  local headers = {
    ["User-Agent"] = browsers[asked % #browsers + 1],
    ["Accept-Encoding"] = encodings[asked % #encodings + 1],
    ["Referer"] = string.format("https://site-%d.exemple.fr/page", asked % 400),
  }
  if chosen.cookie ~= "" then
    headers["Cookie"] = chosen.cookie
  end
  if chosen.method == "POST" then
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    headers["Referer"] = nil
  end
  return wrk.format(chosen.method, chosen.path:gsub("{n}", unique), headers, (chosen.body:gsub("{n}", unique)))
end

function response(status)
  report.count(status)
end
