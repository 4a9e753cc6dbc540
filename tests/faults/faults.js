/* The faults: what happens between the gateways and Redis, or to Redis. Each `run` resolves when all could be well again. */
import { forCommands, subscribed } from '../support/fault_proxy.js';

const BULK = 'x'.repeat(100000);

async function hold(stage, way, which, random, { wait }) {
  stage.each(proxy => proxy.each(wire => wire[way].stall(), which));
  await wait(random.between(200, 1000));
}

/* The same to all links, old and new, for a time. */
async function shaped(stage, act, undo, time, { wait, halfway }) {
  const undos = stage.proxies.map(proxy => proxy.shape(act));
  await wait(time / 2);
  await halfway();
  await wait(time / 2);
  for (const end of undos) end(undo);
}

export const faults = [
  {
    name: 'links are cut, again and again',
    run: async ({ stage, random, wait, halfway }) => {
      for (let n = 0; n < 5; n++) {
        stage.each(proxy => proxy.cut(random.pick([undefined, subscribed, forCommands])));
        await wait(random.between(0, 400));
        if (n === 2) await halfway();
      }
    },
  },
  {
    name: 'links are cut in the middle of a message',
    run: async ({ stage, random, wait }) => {
      for (let n = 0; n < 4; n++) {
        stage.each(proxy => proxy.each(wire => wire.down.cutAfter(random.between(1, 300))));
        await wait(random.between(100, 600));
      }
    },
  },
  {
    name: 'half-open: no byte gets through, and nobody is told',
    run: async ({ stage }) => stage.each(proxy => proxy.each(wire => wire.lose())),
  },
  {
    name: 'half-open: only the subscribed links',
    run: async ({ stage }) => stage.each(proxy => proxy.each(wire => wire.lose(), subscribed)),
  },
  {
    name: 'nothing comes in on the subscribed links',
    run: (all) => hold(all.stage, 'down', subscribed, all.random, all),
  },
  {
    name: 'nothing goes out on the subscribed links',
    run: (all) => hold(all.stage, 'up', subscribed, all.random, all),
  },
  {
    name: 'nothing comes in on the links for commands',
    run: (all) => hold(all.stage, 'down', forCommands, all.random, all),
  },
  {
    name: 'Redis is killed and starts again, three times',
    run: async ({ stage, random, wait }) => {
      for (let n = 0; n < 3; n++) {
        await stage.redis.kill();
        await wait(random.between(0, 1500));
        await stage.restart();
        await wait(random.between(0, 300));
      }
    },
  },
  {
    name: 'Redis hangs',
    run: async ({ stage, random, wait }) => {
      stage.redis.pause();
      await wait(random.between(1000, 5000));
      stage.redis.resume();
    },
  },
  {
    name: 'Redis ends the links',
    run: async ({ stage, random, wait }) => {
      for (let n = 0; n < 3; n++) {
        await stage.redis.cli('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'normal']), 'SKIPME', 'yes');
        await wait(random.between(50, 500));
      }
    },
  },
  {
    name: 'the first dials are refused',
    run: async ({ stage, random }) => stage.each(proxy => {
      proxy.refuses = random.between(4, 20);
      proxy.cut();
    }),
  },
  {
    name: 'answers are late',
    run: ({ stage, random, ...all }) => {
      const late = random.between(100, 800);
      return shaped(stage, wire => (wire.down.delay = late), wire => (wire.down.delay = 0), 3000, all);
    },
  },
  {
    name: 'a slow network: 16 bytes at a time',
    run: ({ stage, ...all }) =>
      shaped(stage, wire => (wire.down.slice = 16), wire => (wire.down.slice = Infinity), 3000, all),
  },
  {
    name: 'Redis is busy with a script',
    run: async ({ stage, random }) => {
      await stage.configure('busy-reply-threshold', '100');
      await stage.redis.cli('EVAL', `local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
        local begin = now() while now() < begin + ${random.between(1000, 3000)} do end`, '0');
    },
  },
  {
    name: 'Redis has no memory left',
    run: async ({ stage, wait, halfway }) => {
      await stage.configure('maxmemory', '1');
      await wait(1000);
      await halfway();
      await wait(1000);
      await stage.configure('maxmemory', '0');
    },
  },
  {
    name: 'Redis takes no more clients',
    run: async ({ stage, wait }) => {
      await stage.configure('maxclients', '1');
      const before = stage.proxies.map(({ dials }) => dials);
      stage.each(proxy => proxy.cut());
      await wait(2500);
      const after = stage.proxies.map(({ dials }) => dials);
      await stage.configure('maxclients', '10000');
      const most = 4 * 5 * 2.5; // links, dials a second, seconds
      after.forEach((dials, n) => {
        if (dials - before[n] > most) throw new Error(`${dials - before[n]} dials in 2.5 s`);
      });
    },
  },
  {
    name: 'the gateways\' password is wrong for a while',
    run: async ({ stage, random, wait }) => {
      await stage.allow('resetpass', '>another');
      stage.each(proxy => proxy.cut());
      await wait(random.between(500, 2500));
      await stage.allowAll();
    },
  },
  {
    name: 'the gateways may not read for a while',
    run: async ({ stage, wait }) => {
      await stage.allow('-get');
      await wait(2500);
      await stage.allowAll();
    },
  },
  {
    name: 'the gateways may not subscribe for a while',
    run: async ({ stage, random, wait }) => {
      await stage.allow('resetchannels');
      await wait(random.between(500, 2500));
      await stage.allowAll();
    },
  },
  {
    name: 'Redis ends the subscribed links, because too much waits for them',
    run: async ({ stage, play, wait }) => {
      const readers = await play.openBulk();
      await stage.configure('client-output-buffer-limit', 'pubsub 65536 0 0');
      stage.each(proxy => proxy.each(wire => wire.down.stall(), subscribed));
      for (let n = 0; n < 300; n++) await stage.publisher.publish('bulk', BULK);
      await wait(500);
      await stage.configure('client-output-buffer-limit', 'pubsub 33554432 8388608 60');
      stage.each(proxy => proxy.each(wire => wire.down.resume(), subscribed));
      for (const reader of readers) reader.end();
    },
  },
];
