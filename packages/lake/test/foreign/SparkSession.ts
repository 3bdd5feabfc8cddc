/** A Spark that stays up for a test: its Java machine takes longer to start than most statements take. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Data, Effect, Schema, type Scope, Semaphore } from "effect"
import { infraScript } from "./ForeignReaders.ts"

class SparkError extends Data.TaggedError("SparkError")<{ readonly message: string }> {}

const Answer = Schema.fromJsonString(
  Schema.Struct({ rows: Schema.optional(Schema.Array(Schema.Unknown)), error: Schema.optional(Schema.String) })
)

/** Gives a statement's rows; one at a time. */
export type Spark = (sql: string) => Effect.Effect<ReadonlyArray<unknown>, SparkError>

/** On a REST catalog, which it calls `lab`. */
export const sparkOnRest = (url: string): Effect.Effect<Spark, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const script = join(import.meta.dirname, "spark_session.py")
        return spawn(infraScript("spark-iceberg.sh"), ["py", script, url], { stdio: ["pipe", "pipe", "ignore"] })
      }),
      (each) => Effect.sync(() => void each.stdin.end())
    )
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const one = yield* Semaphore.make(1)
    const next = Effect.tryPromise({
      try: () => lines.next(),
      catch: (cause) => new SparkError({ message: String(cause) })
    })
    return (sql) =>
      one.withPermits(1)(
        Effect.gen(function* () {
          child.stdin.write(`${JSON.stringify(sql)}\n`)
          const line = yield* next
          if (line.done === true) return yield* new SparkError({ message: "Spark ended" })
          const { error, rows } = yield* Schema.decodeUnknownEffect(Answer)(line.value).pipe(
            Effect.mapError(() => new SparkError({ message: line.value }))
          )
          return error === undefined
            ? (rows ?? [])
            : yield* new SparkError({ message: `${error.slice(0, 2000)}: ${sql}` })
        })
      )
  })
