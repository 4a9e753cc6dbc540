/* Clean-up when a test is over, in the reverse order of set-up. */
import { after } from 'node:test';

const endings = new WeakMap();

/* Stands for a test's context: for what all tests of a file share. */
export const file = { after };
atEnd(file, () => {});

export function atEnd(t, putAway) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(() => end(t));
  }
  endings.get(t).push(putAway);
}

async function end(t) {
  const troubles = [];
  for (const putAway of endings.get(t).splice(0).reverse()) {
    try {
      await putAway();
    } catch (error) {
      troubles.push(error);
    }
  }
  if (troubles.length > 0) throw troubles[0];
}
