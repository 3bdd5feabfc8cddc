/** Commands and the gateway on a lake that is elsewhere: on a REST catalog, on S3. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { s3Keys } from "@frazil/sim/servers"
import { Effect, Schedule } from "effect"
import { startPipeline } from "./PipelineProcess.ts"

const apps = join(import.meta.dirname, "../../..")

type Environment = Readonly<Record<string, string>>

/** Runs a program; gives what it printed. */
export const printed = (program: string, args: ReadonlyArray<string>, env: Environment, input = "") =>
  Effect.callback<string, Error>((resume) => {
    const child = execFile(program, [...args], { env: { ...process.env, ...env }, maxBuffer: 1e8 }, (error, out, err) =>
      resume(
        error === null ? Effect.succeed(out) : Effect.fail(new Error(`${program} ${args.join(" ")}: ${out}${err}`))
      )
    )
    child.stdin?.end(input)
  })

export const frazil = (args: ReadonlyArray<string>, env: Environment) =>
  printed(process.execPath, [join(apps, "cli"), ...args], env)

export const maintain = (args: ReadonlyArray<string>, env: Environment) =>
  printed(process.execPath, [join(apps, "maintenance"), ...args], env)

/** What programs are told of an object store of `s3Server`. */
export const ofStore = (endpoint: string): Environment => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: s3Keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3Keys.secretAccessKey,
  AWS_REGION: s3Keys.region
})

export interface Question {
  readonly sql: string
  readonly asOf?: string
}

/** What a gateway answers, started for these questions: status and body of each. */
export const askGateway = (
  where: ReadonlyArray<string>,
  env: Environment,
  port: number,
  questions: ReadonlyArray<Question>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* startPipeline({ app: join(apps, "api"), args: [...where, "--port", String(port)], env })
      return yield* Effect.forEach(questions, ({ asOf, sql }) => {
        const moment = asOf === undefined ? "" : `&as_of=${asOf}`
        const url = `http://127.0.0.1:${port}/v1/query?sql=${encodeURIComponent(sql)}${moment}`
        return Effect.tryPromise(async () => {
          const response = await fetch(url)
          return `${response.status} ${await response.text()}`
        }).pipe(Effect.retry({ schedule: Schedule.spaced(100), times: 200 }))
      })
    })
  )
