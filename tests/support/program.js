/* A program that a test runs: its output by lines, its exit status, and its end by pid. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { soon, until, withResolvers } from './wait.js';

export class Program {
  #exit = withResolvers();
  stdout = [];
  stderr = [];
  exited = false;
  isSignalled = false;

  constructor(file, args, { name = file, ...options } = {}) {
    this.name = name;
    this.process = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.process.on('error', error => this.stderr.push(error.message));
    // 'close' comes after the last line of both streams
    this.process.on('close', (code, signal) => {
      this.exited = true;
      this.#exit.resolve(signal ?? code);
    });
    for (const stream of ['stdout', 'stderr'])
      createInterface({ input: this.process[stream] }).on('line', line => this[stream].push(line));
  }

  get pid() {
    return this.process.pid;
  }

  /* The match of the first line, on either stream, that `pattern` matches. */
  async line(pattern, { within = 10000 } = {}) {
    const what = `a line ${pattern} of ${this.name}`;
    const find = () => [...this.stderr, ...this.stdout].map(line => pattern.exec(line)).find(Boolean);
    const match = await until(() => find() ?? this.exited, { what, within }).catch(error => {
      throw new Error(`${error.message}\n${this.output}`);
    });
    if (match === true) throw new Error(`${this.name} ended without ${what}:\n${this.output}`);
    return match;
  }

  get output() {
    return [...this.stdout, ...this.stderr].join('\n');
  }

  signal(name) {
    this.isSignalled = true;
    this.process.kill(name);
  }

  /* The exit status, or the name of the signal that ended it. */
  exit({ within = 20000 } = {}) {
    return soon(this.#exit.promise, { what: `the end of ${this.name}`, within });
  }

  /* Kills it, even when it is stopped. */
  async end() {
    if (!this.exited) {
      this.signal('SIGCONT');
      this.signal('SIGKILL');
    }
    return this.exit();
  }
}

/* Runs a program to its end. */
export async function run(file, args, options = {}) {
  const program = new Program(file, args, options);
  const status = await program.exit({ within: options.within ?? 20000 });
  return { status, stdout: program.stdout.join('\n'), stderr: program.stderr.join('\n') };
}

/* A size in /proc/PID/status, in bytes. */
export function sizeOf(pid, name) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)[1]);
}

/* The resident memory of a process, in bytes. */
export function memoryOf(pid) {
  return sizeOf(pid, 'VmRSS');
}

/* The CPU time that a process has used, user and system, in seconds. */
export function processorSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // ticks: USER_HZ is 100 everywhere
}
