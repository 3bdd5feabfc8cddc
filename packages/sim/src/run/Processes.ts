/**
 * Work in several processes of this very program: each does its share, and tells what came of it by lines of JSON.
 *
 * What comes out does not depend on how many there are: shares are cut by number, and whoever asked puts results in order.
 */
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

const root = join(import.meta.dirname, "../../../..")
const errorsShown = 300

export const processesDefault = availableParallelism()

/** A part of numbered work: every number that leaves `index` when divided by `of`. */
export interface Share {
  readonly index: number
  readonly of: number
}

/** `1/2`, as `inShares` passes it on. */
export const shareFromText = (text: string): Share => {
  const [index, of] = text.split("/").map(Number)
  return { index: index ?? 0, of: of ?? 1 }
}

export const isIn = ({ index, of }: Share, number: number): boolean => number % of === index

/** One line of a process's answer, for `runMain` of whoever started it. */
export const tell = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

/**
 * Runs this program with `words`, in a copy of the repository if `folder` says so. `told` gets each line of JSON; what comes
 * out is undefined, or why it went wrong.
 */
export const runMain = <A>(words: ReadonlyArray<string>, told: (answer: A) => void, folder = root) =>
  Effect.callback<string | undefined>((resume) => {
    const child = spawn("bun", ["packages/sim/src/main.ts", ...words], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let rest = ""
    let errors = ""
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split("\n")
      rest = lines.pop() ?? ""
      // written by `tell`
      for (const line of lines) if (line.startsWith("{")) told(JSON.parse(line) as A)
    })
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.on("close", (code) =>
      resume(Effect.succeed(code === 0 ? undefined : `it does not run: ${errors.slice(0, errorsShown)}`))
    )
  })

/** Every share of the work that `words` ask for, each in its process. The first thing that went wrong, if any did. */
export const inShares = <A>(processes: number, words: ReadonlyArray<string>, told: (answer: A) => void) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: processes }, (_, index) => index),
      (index) => runMain<A>([...words, "--share", `${index}/${processes}`], told),
      { concurrency: "unbounded" }
    ),
    (wrong) => wrong.find((each) => each !== undefined)
  )
