<?php
/* PHP's own sessions with phpredis, as a script for PHP's built-in server. The save path and, if it
 * is not the default, session.serialize_handler are given on the command line of php. */

session_start();
switch ($_SERVER['SCRIPT_NAME']) {
case '/visit':
    $_SESSION['cart'] = ['a book', 19.9, null, -1, ['é' => new DateTimeImmutable('2026-01-01')]];
    $_SESSION['again'] = &$_SESSION['cart'];
    break;
case '/login':
    session_regenerate_id(true);
    $_SESSION['authenticated'] = true;
    $_SESSION['userId'] = $_GET['user'];
    break;
case '/user':
    exit($_SESSION['userId'] ?? '');
case '/logout':
    session_destroy();
    break;
}
http_response_code(204);
