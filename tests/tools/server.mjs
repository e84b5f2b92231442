/**
 * Starts the `local` binary for a story, with levers for its clock and its database. The binary
 * is named by the environment: ARM_LOCAL.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** After so many milliseconds one that is not ready is given up. */
const LONGEST_START = 30_000;
const OPTIONS = ['--in-memory', '--ready-json', '--test-clock', '--test-faults'];

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * Those that are not to outlive us.
 *
 * @type {Set<ChildProcess>}
 */
const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A running server, with nothing in it but the demo data. */
export class Server {
  /**
   * @param {ChildProcess} process
   * @param {string} url Where it listens.
   * @param {string[]} log The last lines that it wrote.
   */
  constructor(process, url, log) {
    this.process = process;
    this.url = url;
    this.log = log;
  }

  /**
   * Starts a server.
   *
   * @param {...string} options More of the command line.
   */
  static async start(...options) {
    const binary = process.env.ARM_LOCAL;
    if (!binary) throw new Error('ARM_LOCAL names no binary: run the suite by tests/run');
    const port = options.includes('--port') ? [] : ['--port', '0'];
    const child = spawn(binary, [...OPTIONS, ...port, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const log = kept(child);
    const deadline = setTimeout(() => child.kill('SIGKILL'), LONGEST_START);
    for await (const line of createInterface(child.stdout)) {
      if (!line.includes('"ready":true')) continue;
      clearTimeout(deadline);
      return new Server(child, JSON.parse(line).url, log);
    }
    throw new Error(`${binary} did not start:\n${log.join('\n')}`);
  }

  /** What time it is for the server, in milliseconds. */
  async now() {
    return this.advance(0);
  }

  /**
   * Moves the server's clock, and tells what it shows then, in milliseconds.
   *
   * @param {number} seconds
   * @returns {Promise<number>}
   */
  async advance(seconds) {
    const { now } = await this.#pull('clock', { advanceSeconds: seconds });
    return now * 1000;
  }

  /**
   * Moves the server's clock to an instant.
   *
   * @param {number} milliseconds
   */
  async moveTo(milliseconds) {
    return this.advance(Math.trunc((milliseconds - (await this.now())) / 1000));
  }

  /**
   * Makes the next calls of the database fail.
   *
   * @param {'throttle' | 'timeout' | 'error' | null} dynamodb
   * @param {number} [times]
   */
  async fail(dynamodb, times = 100) {
    await this.#pull('faults', { dynamodb, times });
  }

  /** Ends it at once: there is nothing that it would have to keep. */
  stop() {
    this.process.kill('SIGKILL');
    running.delete(this.process);
  }

  /**
   * @param {string} lever
   * @param {object} body
   */
  async #pull(lever, body) {
    const response = await fetch(new URL(`/development/${lever}`, this.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${lever}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/**
 * The last lines that a process writes on standard error.
 *
 * @param {ChildProcess} child
 */
function kept(child) {
  /** @type {string[]} */
  const lines = [];
  const { stderr } = child;
  if (stderr) createInterface(stderr).on('line', (line) => lines.splice(0, lines.push(line) - 40));
  return lines;
}
