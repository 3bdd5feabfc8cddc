/**
 * Runs Python with PyIceberg and DuckDB's own Iceberg reader, and Spark, for the tests that ask them about our tables.
 *
 * They come from `infra`, a folder of scripts beside the repository; environment variable FRAZIL_INFRA says where else.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { Data, Effect } from "effect"

export class ForeignError extends Data.TaggedError("ForeignError")<{ readonly message: string }> {}

const infra = process.env["FRAZIL_INFRA"] ?? resolve(import.meta.dirname, "../../../../../shared/infra")

/** A script of the folder; fails with what to do when it is missing. */
export const infraScript = (name: string): Effect.Effect<string, ForeignError> =>
  Effect.suspend(() => {
    const script = join(infra, name)
    if (existsSync(script)) return Effect.succeed(script)
    const message = `${script} is missing: the foreign readers are needed; set FRAZIL_INFRA to the folder of infra scripts`
    return Effect.fail(new ForeignError({ message }))
  })

const run = (command: string, args: ReadonlyArray<string>, input: string): Effect.Effect<string, ForeignError> =>
  Effect.callback((resume) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] })
    const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
    child.on("error", (cause) => resume(Effect.fail(new ForeignError({ message: `${command}: ${cause.message}` }))))
    child.on("close", (code) => {
      const text = Buffer.concat(err).toString()
      resume(
        code === 0
          ? Effect.succeed(Buffer.concat(out).toString())
          : Effect.fail(new ForeignError({ message: `${command} ${args.join(" ")} ended with ${code}:\n${text}` }))
      )
    })
    child.stdin.end(input)
    return Effect.sync(() => child.kill())
  })

const runInfra = (script: string, args: ReadonlyArray<string>, input: string): Effect.Effect<string, ForeignError> =>
  Effect.flatMap(infraScript(script), (command) => run(command, args, input))

/** Runs the Python script beside this file with a request as JSON on its input; gives the JSON that it prints. */
export const runPython = (script: string, request: unknown): Effect.Effect<unknown, ForeignError> =>
  runInfra("pylake.sh", ["py", join(import.meta.dirname, script)], JSON.stringify(request)).pipe(
    Effect.map((text): unknown => JSON.parse(text))
  )

/** Runs statements in Spark on a SQLite catalog, which it calls `frazil`; gives the rows of all of them. */
export const runSpark = (
  catalogFile: string,
  warehouse: string,
  statements: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<unknown>, ForeignError> => {
  const where = ["sql", "--sqlite", catalogFile, "--warehouse", warehouse, "--name", "frazil"]
  return runInfra("spark-iceberg.sh", [...where, ...statements.flatMap((sql) => ["-e", sql])], "").pipe(
    Effect.map((text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line): unknown => JSON.parse(line))
    )
  )
}
