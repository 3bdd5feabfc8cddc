/**
 * A benchmark as `main.ts` lists it, and how one is run: in a process of its own, which prints a JSON line last.
 *
 * Of several runs each figure is the median.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { buildPrograms } from "@frazil/platform/build"
import { median } from "./Measure.ts"

/** What a benchmark's line has to keep, and in which words; `{commits}` in them is that field of the line. */
export type Bound = readonly [field: string, max: number, unit: string]

export type Bounds = Readonly<Record<string, ReadonlyArray<Bound>>>

export type Fields = Readonly<Record<string, unknown>>

export type Ran = { readonly fields: Fields; readonly line: string } | { readonly failed: string }

const source = join(import.meta.dirname, "..")

/** The last line of what a program printed, if it is a JSON object. */
export const lastObject = (printed: string): { readonly fields: Fields; readonly line: string } | undefined => {
  const line = printed.trimEnd().split("\n").at(-1) ?? ""
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === "object" && fields !== null ? { fields: { ...fields }, line } : undefined
  } catch {
    return undefined
  }
}

/** Programs of the workloads, built before they are measured: what others run is compiled ahead as well. */
export const buildBenchmarks = (names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
  buildPrograms(names.filter((name) => /^w[1-5](-log|-commits)?$/.test(name)).map((name) => join(source, `${name}.ts`)))

/** Runs `bench/src/<name>.ts`; what it says on stderr is told when it fails. */
export const runBenchmark = (name: string, ...words: ReadonlyArray<string>): Ran => {
  const script = join(source, `${name}.ts`)
  const child = spawnSync(process.execPath, [script, ...words], { encoding: "utf8", maxBuffer: 1 << 28 })
  const said = child.stderr.trim()
  if (child.status !== 0) return { failed: said || `it ended with code ${child.status ?? "none"}` }
  return lastObject(child.stdout) ?? { failed: "it printed no JSON object on its last line" }
}

/** Numbers by their medians, the rest as the first run has it. */
export const medianFields = (runs: ReadonlyArray<Fields>): Fields =>
  Object.fromEntries(
    Object.entries(runs[0] ?? {}).map(([name, value]) => [
      name,
      typeof value === "number" ? median(runs.map((run) => Number(run[name]))) : value
    ])
  )
