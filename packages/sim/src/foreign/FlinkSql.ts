/**
 * Flink SQL as a second opinion: runs a script on a local mini cluster, one thread, and gives the rows of its queries.
 *
 * Integration tests ask it. It comes from `infra`, a folder of scripts beside the repository; FRAZIL_INFRA says where else.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Data, Effect } from "effect"

class FlinkError extends Data.TaggedError("FlinkError")<{ readonly message: string }> {}

const infra = process.env["FRAZIL_INFRA"] ?? resolve(import.meta.dirname, "../../../../../shared/infra")

/** A row of the query with that number, counted from 1. */
export interface FlinkRow {
  readonly q: number
  /** What the row does to the query's result: `+I`, `-U`, `+U` or `-D`. */
  readonly op: string
  readonly row: Readonly<Record<string, unknown>>
}

const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Effect.Effect<string, FlinkError> =>
  Effect.callback((resume) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env })
    const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => void err.push(chunk))
    child.on("error", ({ message }) => resume(Effect.fail(new FlinkError({ message }))))
    child.on("close", (code) =>
      resume(
        code === 0
          ? Effect.succeed(Buffer.concat(out).toString())
          : Effect.fail(new FlinkError({ message: `${command} ended with ${code}: ${Buffer.concat(err).toString()}` }))
      )
    )
    return Effect.sync(() => void child.kill())
  })

/**
 * Runs the statements; `${FILE}` in them is a file of these lines, `${FILE}.name` one of the lines of that name in `others`.
 * With `final`, the rows of a query that are left when its changes have been applied, instead of the changes. `version`: of
 * Flink, another than the script's own.
 */
export const flinkSql = (
  lines: ReadonlyArray<string>,
  statements: ReadonlyArray<string>,
  {
    final = false,
    others = {},
    version
  }: {
    readonly final?: boolean
    readonly others?: Readonly<Record<string, ReadonlyArray<string>>>
    readonly version?: string
  } = {}
): Effect.Effect<ReadonlyArray<FlinkRow>, FlinkError> =>
  Effect.suspend(() => {
    const script = join(infra, "flink-sql.sh")
    if (!existsSync(script)) {
      const message = `${script} is missing: Flink is needed; set FRAZIL_INFRA to the folder of infra scripts`
      return Effect.fail(new FlinkError({ message }))
    }
    const folder = mkdtempSync(join(tmpdir(), "frazil-flink-"))
    const file = join(folder, "input.json")
    for (const [path, of] of [
      [file, lines] as const,
      ...Object.entries(others).map(([name, of]) => [`${file}.${name}`, of] as const)
    ])
      writeFileSync(path, of.map((line) => `${line}\n`).join(""))
    writeFileSync(join(folder, "windows.sql"), statements.map((statement) => `${statement};\n`).join(""))
    const args = [...(final ? ["--final"] : []), "-v", `FILE=${file}`, join(folder, "windows.sql")]
    const env = version === undefined ? process.env : { ...process.env, FLINK_VERSION: version }
    return run(script, args, env).pipe(
      Effect.map(
        (text) =>
          text
            .split("\n")
            .filter((line) => line.startsWith("{"))
            .map((line) => JSON.parse(line) as FlinkRow) // as the script prints them
      ),
      Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
    )
  })
