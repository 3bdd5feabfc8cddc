/**
 * Checks a workload's answer over the first lines of its input, beside what is measured: the program runs over them once more, unless
 * they are the whole file, and `workload/CheckAnswer.ts` compares its line with that of plain loops.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { type Fields, lastObject, runBenchmark } from "./Benchmark.ts"
import { copyFirstLines } from "./FirstLines.ts"

/** Plain loops take some seconds for so many. */
const checkedLines = 200_000

export interface Checked {
  /** `checked`, what differs, or why it was not checked. */
  readonly answer: string
  readonly answer_lines: number
}

export const differs = (answer: string): boolean => answer.startsWith("differs")

/** Files that were cut, and whether that left lines out. */
const prefixes = new Map<string, { readonly file: string; readonly cut: boolean }>()

const prefixOf = (file: string, folder: string) => {
  const known = prefixes.get(file)
  if (known !== undefined) return known
  const to = join(folder, `first-lines-${prefixes.size}.ndjson`)
  const prefix = { file: to, cut: copyFirstLines(file, to, checkedLines) }
  prefixes.set(file, prefix)
  return prefix
}

const script = join(import.meta.dirname, "../workload/CheckAnswer.ts")

const compared = (name: string, file: string, fields: Fields): string => {
  const child = spawnSync(process.execPath, [script, file, name], { encoding: "utf8", input: JSON.stringify(fields) })
  const found = child.status === 0 ? lastObject(child.stdout)?.fields["answer"] : undefined
  return typeof found === "string" ? found : `not checked: ${child.stderr.trim().split("\n").at(-1) ?? ""}`
}

/** What comes of comparing; `ran` is what the run over the whole of the file told. */
export const checkAnswer = (name: string, file: string, ran: Fields, folder: string): Checked => {
  const { cut, file: prefix } = prefixOf(file, folder)
  const over = cut ? runBenchmark(name, prefix) : { fields: ran }
  if ("failed" in over) return { answer: `differs: over the first lines it fails: ${over.failed}`, answer_lines: 0 }
  return { answer: compared(name, prefix, over.fields), answer_lines: Number(over.fields["n"]) }
}
