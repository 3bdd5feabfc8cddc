/**
 * `bench/RESULTS.md`: the latest table, written by `--save`, and below it what a person keeps: of each bound that is missed
 * the profile, what was tried and the next idea. The command writes above the mark only.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { BenchError } from "./BenchError.ts"

const mark = "<!-- below this line by hand: bun run bench --save keeps it -->"

const intro = `# Results

The latest run of \`bun run bench --save\`; [README](README.md) says what the benchmarks are. CPU is that of the whole process, start-up included.
`

const empty = `

## What is missed

Of each bound that is missed: the profile, what was tried, the next idea.
`

/** The file's text with another table. */
export const withTable = (before: string | undefined, table: string): string => {
  const at = before?.indexOf(mark) ?? -1
  if (before !== undefined && at < 0)
    throw new BenchError(`RESULTS.md has lost the line "${mark}": put it above what is kept by hand`)
  const kept = at < 0 ? empty : before!.slice(at + mark.length)
  return `${intro}\n${table}\n\n${mark}${kept}`
}

export const saveTable = (file: string, table: string): void =>
  writeFileSync(file, withTable(existsSync(file) ? readFileSync(file, "utf8") : undefined, table))
