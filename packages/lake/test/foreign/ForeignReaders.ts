/**
 * Runs Python with PyIceberg and DuckDB's own Iceberg reader, for the tests that ask foreign readers about our tables.
 *
 * They come from `infra`, a folder of scripts beside the repository; environment variable FRAZIL_INFRA says where else.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { Data, Effect } from "effect"

class ForeignError extends Data.TaggedError("ForeignError")<{ readonly message: string }> {}

const infra = process.env["FRAZIL_INFRA"] ?? resolve(import.meta.dirname, "../../../../../shared/infra")

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

/** Runs the Python script beside this file with a request as JSON on its input; gives the JSON that it prints. */
export const runPython = (script: string, request: unknown): Effect.Effect<unknown, ForeignError> => {
  const command = join(infra, "pylake.sh")
  if (!existsSync(command)) {
    const message = `${command} is missing: the foreign readers are needed; set FRAZIL_INFRA to the folder of infra scripts`
    return Effect.fail(new ForeignError({ message }))
  }
  return run(command, ["py", join(import.meta.dirname, script)], JSON.stringify(request)).pipe(
    Effect.map((text): unknown => JSON.parse(text))
  )
}
