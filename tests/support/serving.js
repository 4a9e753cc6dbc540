/* Servers in the test's own process. */
import { atEnd } from './ending.js';

/* Has a server listen on a free port until the test is over, and returns the port. */
export async function listen(t, server) {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections?.();
    server.close();
  });
  return server.address().port;
}
