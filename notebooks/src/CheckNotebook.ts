/**
 * What is wrong with a notebook that has run: held against what the pipeline says it has written, and against the one in git.
 *
 * Expected figures come from the pipeline's summary, not from the tables that the notebook reads.
 */
import { Schema } from "effect"
import { outputsOf, type Notebook } from "./Notebook.ts"

/** The pipeline's `--summary`, as far as it is needed. */
export const Summary = Schema.Struct({
  jobs: Schema.Array(Schema.Struct({ written: Schema.Record(Schema.String, Schema.Int) })),
  tables: Schema.Array(Schema.Struct({ table: Schema.String, rows: Schema.Int, files: Schema.Int }))
})

const figureKind = "image/svg+xml"

/** Each bar's title ends in how many alerts it stands for. */
const alertsDrawn = (svg: string): { readonly bars: number; readonly alerts: number } => {
  const titles = Array.from(svg.matchAll(/<rect [^>]*><title>[^<]*: (\d+)<\/title><\/rect>/g), ([, count]) =>
    Number(count)
  )
  return { bars: titles.length, alerts: titles.reduce((sum, count) => sum + count, 0) }
}

/** Alerts are written once a revision and drawn once: fewer may be drawn than written, not more. */
export const problemsOfRun = (notebook: Notebook, summary: typeof Summary.Type): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const texts = outputsOf(notebook, "text/plain").map((text) => text.split("\n"))
  const [tables = [], ...answers] = texts
  for (const { files, rows, table } of summary.tables) {
    const expected = `${table}  ${rows.toLocaleString("en-US")}  ${files}  `
    if (!tables.some((line) => line.startsWith(expected))) {
      problems.push(`the list of tables has no line "${expected}": ${tables.join(" | ")}`)
    }
  }
  const transactions = summary.tables.find(({ table }) => table === "transactions.raw")?.rows.toLocaleString("en-US")
  if (!answers.some((lines) => lines.some((line) => line.startsWith(`now  ${transactions}  `)))) {
    problems.push(`time travel does not find ${transactions} transactions now`)
  }
  const first = answers.flat().find((line) => line.startsWith("first snapshot  "))
  if (first === undefined || first.includes(`  ${transactions}  `)) {
    problems.push(`the first snapshot should hold fewer rows than there are now: ${first ?? "it is not there"}`)
  }
  const [svg, ...more] = outputsOf(notebook, figureKind)
  const { alerts, bars } = alertsDrawn(svg ?? "")
  const written = summary.jobs.reduce((sum, job) => sum + (job.written["alerts"] ?? 0), 0)
  if (svg === undefined || more.length > 0) problems.push("there should be one figure")
  else if (bars === 0 || alerts === 0 || alerts > written) {
    problems.push(`the figure shows ${alerts} alerts in ${bars} bars, of ${written} written`)
  }
  return problems
}

/** The notebook in git must be one that has run from top to bottom, and its figure the one that the sample gives now. */
export const problemsOfKept = (kept: Notebook, fresh: Notebook): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const cells = kept.cells.filter((cell) => cell.cell_type === "code")
  if (cells.some((cell, index) => cell.execution_count !== index + 1)) problems.push("its cells have not run in order")
  const [figure] = outputsOf(kept, figureKind)
  if (figure !== outputsOf(fresh, figureKind)[0]) problems.push("its figure is not the one that the sample gives now")
  return problems.map((problem) => `${problem}: bun run notebooks --update`)
}
