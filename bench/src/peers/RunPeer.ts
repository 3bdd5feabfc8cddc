/**
 * Runs a program and tells what its whole process tree cost: children's `rusage`, start-up included.
 *
 * Benchmarks run on Bun, whose `spawnSync` gives it; Node's does not.
 */

interface Spawned {
  readonly exitCode: number | null
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Microseconds, bytes. */
  readonly resourceUsage: { readonly cpuTime: { readonly total: number | bigint }; readonly maxRSS: number }
}

/** What is used of Bun's global. */
declare const Bun: {
  readonly spawnSync: (
    words: ReadonlyArray<string>,
    options: { readonly cwd: string; readonly stdout: "pipe"; readonly stderr: "pipe"; readonly timeout: number }
  ) => Spawned
}

export interface TreeRun {
  readonly exitCode: number | null
  readonly printed: string
  readonly said: string
  readonly cpuMicros: number
  readonly wallSeconds: number
  /** Undefined where the program took no more than this process: the system counts what it was forked from. */
  readonly rssMb: number | undefined
}

const timeoutMs = 15 * 60_000
export const runTree = (words: ReadonlyArray<string>, directory: string): TreeRun => {
  const startedAt = performance.now()
  const child = Bun.spawnSync(words, { cwd: directory, stdout: "pipe", stderr: "pipe", timeout: timeoutMs })
  const decoder = new TextDecoder()
  const ownBytes = process.resourceUsage().maxRSS * 1024
  return {
    exitCode: child.exitCode,
    printed: decoder.decode(child.stdout),
    said: decoder.decode(child.stderr),
    cpuMicros: Number(child.resourceUsage.cpuTime.total),
    wallSeconds: (performance.now() - startedAt) / 1000,
    rssMb: child.resourceUsage.maxRSS > ownBytes ? Math.round(child.resourceUsage.maxRSS / 2 ** 20) : undefined
  }
}
