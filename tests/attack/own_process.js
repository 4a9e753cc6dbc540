/* Runs a function in a process of its own, so that its work does not delay the measuring of others. */
import { fork } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../support/ending.js';
import { soon, withResolvers } from '../support/wait.js';

/* ---- in the process of its own ---- */

async function serve({ module, name, argument, nice }) {
  setPriority(getPriority() + nice);
  const { promise: stopped, resolve: stop } = withResolvers();
  process.once('message', stop);
  const ready = () => process.send({ ready: true });
  try {
    const functions = await import(module);
    const result = await functions[name](argument, { ready, stopped });
    process.send({ result }, () => process.exit());
  } catch ({ stack }) {
    process.send({ trouble: stack }, () => process.exit(1));
  }
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) process.once('message', serve);

/* ---- for the test ---- */

export class OwnProcess {
  #ready = withResolvers();
  #result = withResolvers();

  /* Calls the function `name` that the file `module` exports with `argument` and { ready, stopped }. The
   * function calls ready() when it has begun; the promise `stopped` resolves when it is to end. */
  constructor(t, module, name, argument, { nice = 0 } = {}) {
    this.name = name;
    this.process = fork(self, { serialization: 'advanced' });
    this.process.on('message', message => {
      if (message.ready) this.#ready.resolve();
      else if (message.trouble) this.#fail(message.trouble);
      else this.#result.resolve(message.result);
    });
    this.process.on('exit', status => this.#fail(`exited with ${status}`));
    this.#ready.promise.catch(() => {});
    this.#result.promise.catch(() => {});
    this.process.send({ module: String(module), name, argument, nice });
    atEnd(t, () => this.process.kill('SIGKILL'));
  }

  #fail(trouble) {
    const error = new Error(`${this.name}: ${trouble}`);
    this.#ready.reject(error);
    this.#result.reject(error);
  }

  ready() {
    return soon(this.#ready.promise, { what: `${this.name} has begun`, within: 20000 });
  }

  /* The result of the function. */
  result({ within = 60000 } = {}) {
    return soon(this.#result.promise, { what: `the end of ${this.name}`, within });
  }

  stop() {
    this.process.send('stop');
    return this.result();
  }
}
