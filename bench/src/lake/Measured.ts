/** What programs of the lake's benchmarks share: their line, programs of their own, and time. */
import { join } from "node:path"
import { runTree } from "../peers/RunPeer.ts"
import { BenchError } from "../support/BenchError.ts"
import { type Fields, lastObject } from "../support/Benchmark.ts"

export const quantile = (values: ReadonlyArray<number>, share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** The benchmark's line. */
export const tell = (fields: Fields): void => void process.stdout.write(`${JSON.stringify(fields)}\n`)

/** Runs a program of this folder in a process of its own; gives its line. */
export const runOwn = (program: string, ...words: ReadonlyArray<string>): Fields => {
  const ran = runTree([process.execPath, join(import.meta.dirname, program), ...words], import.meta.dirname)
  const answer = lastObject(ran.printed)
  if (ran.exitCode !== 0 || answer === undefined) throw new BenchError(`${program} failed: ${ran.said.trim()}`)
  return answer.fields
}

/** The least of several rounds of each, taken in turns: what else the machine does only adds. */
export const leastMs = async (
  rounds: number,
  runs: ReadonlyArray<() => Promise<unknown>>
): Promise<ReadonlyArray<number>> => {
  const least = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      const index = (round + turn) % runs.length
      const started = performance.now()
      await runs[index]!()
      least[index] = Math.min(least[index] ?? 0, performance.now() - started)
    }
  }
  return least
}
