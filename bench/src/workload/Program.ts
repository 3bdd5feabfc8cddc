/**
 * The program of a workload, in a process of its own: `bun bench/src/w2.ts FILE [--output DIR] [--through log]`.
 *
 * `main.ts` starts it. Prints the answer's line; with `--output` writes `DIR/W2.csv`. The cost is that of the whole process,
 * start-up included, up to the answer.
 */
import { statSync } from "node:fs"
import { BenchError, orTold } from "../support/BenchError.ts"
import { wordOf } from "../support/Words.ts"
import { type Answered, tellAnswer } from "./Answer.ts"
import type { Through } from "./RunJob.ts"

export type Workload = (file: string, through: Through) => Promise<Answered>

/** A file that can be read; refused in one line otherwise. */
export const checkInput = (file: string): void => {
  try {
    if (!statSync(file).isFile()) throw new Error("it is not a regular file")
  } catch (cause) {
    throw BenchError.of(`${file} cannot be read`, cause, "give --input a file of transactions, one JSON object a line")
  }
}

export const runProgram = (workload: number, answer: Workload): Promise<void> =>
  orTold(async () => {
    const [, , file] = process.argv
    if (file === undefined)
      throw new BenchError(`usage: bun bench/src/w${workload}.ts FILE [--output DIR] [--through log]`)
    checkInput(file)
    const { line, text } = tellAnswer(workload, await answer(file, wordOf("--through") === "log" ? "log" : "file"))
    const directory = wordOf("--output")
    if (directory !== undefined) text.write(directory, `W${workload}`)
    process.stdout.write(`${line}\n`)
  })
