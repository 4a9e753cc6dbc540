/* The two pages of the demo. Whatever a user typed is escaped. */

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function page(content) {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Sluice demo</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main>
${content}
  </main>
</body>
</html>
`;
}

export function loginPage(problem = '') {
  return page(`    <h1>Log in</h1>
    <p>Any name will do.</p>
    <p role="alert">${escape(problem)}</p>
    <form method="post" action="/login">
      <label for="user">Your name</label>
      <input id="user" name="user" value="ada" required maxlength="64" autocomplete="username">
      <button>Log in</button>
    </form>`);
}

export function livePage(user) {
  return page(`    <header>
      <h1>Hello, ${escape(user)}</h1>
      <form method="post" action="/logout"><button>Log out</button></form>
    </header>
    <p><span id="state" role="status">connecting</span> <a id="again" href="/">Log in again</a></p>
    <form id="publish">
      <label for="text">Publish</label>
      <input id="text" name="text" value="hello" required maxlength="1000">
      <button name="to" value="news">To everyone</button>
      <button name="to" value="me">To me</button>
    </form>
    <ol id="messages" aria-label="Messages, the newest first"></ol>
    <script type="module" src="/live.js"></script>`);
}
