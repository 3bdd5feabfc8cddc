/** The table of a run: a row for each figure that has a bound, as Markdown; and the same as one JSON document. */
import type { Bounds, Fields } from "./Benchmark.ts"
import type { Comparison } from "../peers/Compare.ts"
import { type Machine, machineText } from "./Machine.ts"

export interface Measured {
  readonly name: string
  readonly fields: Fields
  /** Why there are no figures. */
  readonly failed: string | undefined
  /** With `--peers`: other systems on the same input. */
  readonly comparisons: ReadonlyArray<Comparison>
}

/** A figure that is none, as of nothing measured, keeps no bound. */
const isKept = (value: unknown, max: number): boolean =>
  typeof value === "number" && Number.isFinite(value) && value <= max

export const keptAll = (bounds: Bounds, measured: ReadonlyArray<Measured>): boolean =>
  measured.every(
    ({ comparisons, failed, fields, name }) =>
      failed === undefined &&
      (bounds[name] ?? []).every(([field, max]) => isKept(fields[field], max)) &&
      comparisons.every(({ kept }) => kept !== false)
  )

const whole = (value: unknown): string =>
  typeof value === "number" && Number.isFinite(value) ? Math.round(value).toLocaleString("en") : ""

/** The unit with the fields that it names. */
const unitText = (unit: string, fields: Fields): string =>
  unit.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(fields[name] ?? "no"))

const rowText = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const rowsOf = (
  bounds: Bounds,
  comparedWith: Readonly<Record<string, string>>,
  one: Measured
): ReadonlyArray<string> => {
  const { failed, fields, name } = one
  if (failed !== undefined) return [rowText([name, `failed: ${failed.split("\n")[0]}`, "", "**MISSED**", "", "", ""])]
  return (bounds[name] ?? []).map(([field, max, unit], index) => {
    const value = fields[field]
    const first = index === 0
    const told = unitText(unit, fields)
    return rowText([
      first ? name : "",
      typeof value === "number" ? `${value} ${told}` : `not measured: ${told}`,
      String(max),
      isKept(value, max) ? "kept" : "**MISSED**",
      first ? whole(fields["eventsPerSecond"]) : "",
      first ? whole(fields["rssPeakMb"]) : "",
      first ? (comparedWith[name] ?? "") : ""
    ])
  })
}

const peerRow = (name: string, each: Comparison): string =>
  rowText([
    name,
    each.peer,
    each.cpuMicros === undefined ? "" : each.cpuMicros.toFixed(2),
    each.warmMicros === undefined ? "" : each.warmMicros.toFixed(2),
    each.wallSeconds === undefined ? "" : each.wallSeconds.toFixed(1),
    whole(each.rssMb),
    each.answer,
    each.ratio === undefined ? "" : `${each.ratio.toFixed(2)}${each.basis === "warm" ? " of warm" : ""}`,
    each.bound === undefined ? "" : `1/${each.bound} ${each.basis}`,
    each.kept === undefined ? "" : each.kept ? "kept" : "**MISSED**"
  ])

export const tableText = (
  machine: Machine,
  input: string,
  bounds: Bounds,
  comparedWith: Readonly<Record<string, string>>,
  measured: ReadonlyArray<Measured>
): string => {
  const peers = measured.flatMap(({ comparisons, name }) => comparisons.map((each) => peerRow(name, each)))
  return [
    machineText(machine),
    `input: ${input}`,
    "",
    "| benchmark | measured | at most | | events/s | peak RSS MB | compared with |",
    "|---|---|---|---|---|---|---|",
    ...measured.flatMap((one) => rowsOf(bounds, comparedWith, one)),
    ...(peers.length === 0
      ? []
      : [
          "",
          "CPU µs/event of the whole process tree, start-up included, and of a later run in the warm process; ours over theirs.",
          "",
          "| workload | system | CPU µs/event | warm | wall s | peak RSS MB | answer | ours / theirs | at most | |",
          "|---|---|---|---|---|---|---|---|---|---|",
          ...peers
        ])
  ].join("\n")
}

export const documentOf = (machine: Machine, input: string, bounds: Bounds, measured: ReadonlyArray<Measured>) => ({
  machine,
  input,
  benchmarks: measured.map(({ comparisons, failed, fields, name }) => ({
    name,
    failed: failed ?? null,
    figures: (bounds[name] ?? []).map(([field, max, unit]) => {
      const value = fields[field] ?? null
      return { field, unit: unitText(unit, fields), value, max, kept: failed === undefined && isKept(value, max) }
    }),
    fields,
    peers: comparisons
  }))
})
