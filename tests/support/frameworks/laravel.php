<?php
/* Laravel's sessions, without the rest of Laravel: its encrypter, its cookies, its session store in
 * Redis through its cache, and its guard. What a skeleton has in config/ stands in $config, and the
 * two middlewares that matter run as its kernel has them run. A script for PHP's built-in server.
 *
 *     REDIS_PORT      where Redis is
 *     APP_KEY         as in a .env, base64:…
 *     SESSION_COOKIE  the name of the cookie
 *     REDIS_PREFIX, CACHE_PREFIX  what stands before the session's id in its key
 */

use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Cache\CacheManager;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Cookie\CookieJar;
use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Encryption\Encrypter;
use Illuminate\Events\Dispatcher;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Redis\RedisManager;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Session\SessionManager;

foreach (['Auth', 'Cache', 'Config', 'Container', 'Cookie', 'Encryption', 'Events', 'Http', 'Redis', 'Session'] as $part)
    require_once "Illuminate/$part/autoload.php";

/* Anybody whose name is a number. */
class Users implements UserProvider
{
    public function retrieveById($id)
    {
        return new GenericUser(['id' => (int)$id, 'remember_token' => null]);
    }

    public function retrieveByToken($id, $token) { }

    public function updateRememberToken(Authenticatable $user, $token) { }

    public function retrieveByCredentials(array $credentials) { }

    public function validateCredentials(Authenticatable $user, array $credentials)
    {
        return false;
    }

    public function rehashPasswordIfRequired(Authenticatable $user, array $credentials, bool $force = false) { }
}

$config = [
    'cache.default' => 'redis',
    'cache.stores.redis' => ['driver' => 'redis', 'connection' => 'default'],
    'cache.prefix' => getenv('CACHE_PREFIX'),
    'session.driver' => 'redis',
    'session.connection' => 'default',
    'session.cookie' => getenv('SESSION_COOKIE'),
    'session.lifetime' => 120,
    'session.lottery' => [2, 100],
    'session.expire_on_close' => false,
    'session.encrypt' => false,
    'session.serialization' => 'php',
    'session.path' => '/',
    'session.domain' => null,
    'session.http_only' => true,
    'session.same_site' => 'lax',
];
$redis = [
    'options' => ['prefix' => getenv('REDIS_PREFIX')],
    'default' => ['host' => '127.0.0.1', 'port' => getenv('REDIS_PORT'), 'database' => 0],
];

$app = new Container;
$app->instance('config', new Repository);
foreach ($config as $key => $value)
    $app['config']->set($key, $value);
$app->instance('redis', new RedisManager($app, 'phpredis', $redis));
$app->instance('cache', new CacheManager($app));

$sessions = new SessionManager($app);
$encrypter = new Encrypter(base64_decode(substr(getenv('APP_KEY'), strlen('base64:'))), 'AES-256-CBC');
$request = Request::capture();

/* What a controller would do. */
$answer = function (Request $request) use ($sessions) {
    $guard = new SessionGuard('web', new Users, $sessions->driver(), $request);
    $guard->setCookieJar(new CookieJar);
    $guard->setDispatcher(new Dispatcher);
    switch ($request->path()) {
    case 'visit':
        $request->session()->put('cart', ['a book', 19.9, null, ['é' => new DateTimeImmutable('2026-01-01')]]);
        break;
    case 'login':
        $guard->loginUsingId($request->query('user'));
        break;
    case 'user':
        return new Response((string)$guard->id());
    case 'logout':
        $guard->logout();
        $request->session()->invalidate();
        break;
    }
    return new Response('', 204);
};

$start = new StartSession($sessions);
$encrypt = new EncryptCookies($encrypter);
$encrypt->handle($request, fn ($request) => $start->handle($request, $answer))->send();
