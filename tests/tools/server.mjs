/**
 * Starts the `local` binary for a test, and controls its clock and its database. The environment
 * variable ARM_LOCAL is the path of the binary.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How many milliseconds a server may take to start. */
const START_TIMEOUT = 30_000;
const OPTIONS = ['--in-memory', '--ready-json', '--test-clock', '--test-faults'];

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * Servers that are killed when this process exits.
 *
 * @type {Set<ChildProcess>}
 */
const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A running server that contains only the demo data. */
export class Server {
  /**
   * @param {ChildProcess} process
   * @param {string} url Where it listens.
   * @param {string[]} log The last lines of its log.
   */
  constructor(process, url, log) {
    this.process = process;
    this.url = url;
    this.log = log;
  }

  /**
   * Starts a server.
   *
   * @param {...string} options Additional command line options.
   */
  static async start(...options) {
    const binary = process.env.ARM_LOCAL;
    if (!binary) throw new Error('ARM_LOCAL is not set: run the suite with tests/run');
    const port = options.includes('--port') ? [] : ['--port', '0'];
    const child = spawn(binary, [...OPTIONS, ...port, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const log = collectLog(child);
    const deadline = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT);
    for await (const line of createInterface(child.stdout)) {
      if (!line.includes('"ready":true')) continue;
      clearTimeout(deadline);
      return new Server(child, JSON.parse(line).url, log);
    }
    throw new Error(`${binary} did not start:\n${log.join('\n')}`);
  }

  /** Returns the time of the server, in milliseconds. */
  async now() {
    return this.advance(0);
  }

  /**
   * Advances the server's clock. Returns its new time in milliseconds.
   *
   * @param {number} seconds
   * @returns {Promise<number>}
   */
  async advance(seconds) {
    const { now } = await this.#control('clock', { advanceSeconds: seconds });
    return now * 1000;
  }

  /**
   * Sets the server's clock.
   *
   * @param {number} milliseconds
   */
  async moveTo(milliseconds) {
    return this.advance(Math.trunc((milliseconds - (await this.now())) / 1000));
  }

  /**
   * Makes the next calls to the database fail.
   *
   * @param {'throttle' | 'timeout' | 'error' | null} dynamodb
   * @param {number} [times]
   */
  async fail(dynamodb, times = 100) {
    await this.#control('faults', { dynamodb, times });
  }

  /** Kills the server. It has no data to save. */
  stop() {
    this.process.kill('SIGKILL');
    running.delete(this.process);
  }

  /**
   * @param {string} control
   * @param {object} body
   */
  async #control(control, body) {
    const response = await fetch(new URL(`/development/${control}`, this.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${control}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/**
 * Collects the last lines that a process writes to standard error.
 *
 * @param {ChildProcess} child
 */
function collectLog(child) {
  /** @type {string[]} */
  const lines = [];
  const { stderr } = child;
  if (stderr) createInterface(stderr).on('line', (line) => lines.splice(0, lines.push(line) - 40));
  return lines;
}
