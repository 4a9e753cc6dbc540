# Rails' middlewares for cookies and sessions, with sessions in Redis as the gem redis-session-store
# writes them: the key is the private id, which is a hash of what is in the cookie, and the record is
# JSON. Debian has no package of the gem, so its store is written here once more, as small as it goes.
# With REDIS_SESSION_STORE, a path, the gem itself is taken.

require "action_dispatch"
require "active_support/core_ext/hash/indifferent_access"
require "json"
require "rack"
require "redis"
require "socket"

if ENV["REDIS_SESSION_STORE"]
  require ENV["REDIS_SESSION_STORE"]
else
  class RedisSessionStore < ActionDispatch::Session::AbstractSecureStore
    def initialize(app, options)
      super(app, options)
      @redis = Redis.new(url: options[:redis][:url])
      @prefix = options[:redis][:key_prefix]
      @seconds = options[:redis][:expire_after]
    end

    def find_session(_request, id)
      text = id && @redis.get(key_of(id))
      text ? [id, JSON.parse(text)] : [generate_sid, {}]
    end

    def write_session(_request, id, session, _options)
      @redis.setex(key_of(id), @seconds, JSON.generate(session))
      id
    end

    def delete_session(_request, id, options)
      @redis.del(key_of(id))
      generate_sid unless options[:drop]
    end

    private

    def key_of(id)
      "#{@prefix}#{id.private_id}"
    end
  end
end

routes = lambda do |env|
  request = ActionDispatch::Request.new(env)
  case request.path
  when "/visit"
    request.session["cart"] = ["a book"]
  when "/login"
    request.reset_session
    request.session["authenticated"] = true
    request.session["userId"] = request.params["user"]
  when "/user"
    next [200, {}, [request.session["userId"].to_s]]
  when "/logout"
    request.reset_session
  end
  [204, {}, []]
end

store = RedisSessionStore.new(
  routes,
  key: "_session_id", serializer: :json,
  redis: { url: ENV.fetch("REDIS_URL"), key_prefix: ENV.fetch("KEY_PREFIX", ""), expire_after: 3600 }
)
app = ActionDispatch::Cookies.new(store)

# One request a connection; only what the tests send.
def serve(connection, app)
  method, target = connection.gets.split
  headers = {}
  while (line = connection.gets.chomp) != ""
    name, value = line.split(": ", 2)
    headers["HTTP_#{name.upcase.tr("-", "_")}"] = value
  end
  status, answer, body = app.call(Rack::MockRequest.env_for(target, method: method, **headers))
  connection.write("HTTP/1.1 #{status} \r\nConnection: close\r\n")
  answer.each do |name, values|
    [values].flatten.flat_map { |value| value.split("\n") }.each do |value|
      connection.write("#{name}: #{value}\r\n")
    end
  end
  connection.write("\r\n")
  body.each { |part| connection.write(part) }
ensure
  connection.close
end

server = TCPServer.new("127.0.0.1", 0)
$stdout.puts("listening on #{server.addr[1]}")
$stdout.flush
loop { serve(server.accept, app) }
